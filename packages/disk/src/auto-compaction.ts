/** Decides when compaction or folding is worth its while, and runs it beside the saves. */
import { isCkptError } from "@ckpt/errors";
import type { Catalog } from "./catalog.js";
import type { Findings } from "./findings.js";

/** Directories of dead writers that are left alone; more are folded in. */
const MAX_DEAD_WRITERS = 8;
/** Of more than these, some are folded before an agent is taken: processes that die sooner than a fold ends must not pile up for ever. */
const MOST_DEAD_WRITERS = 32;
/** Removed bytes that are left alone, and the share of all bytes above which they are given back. */
const MIN_REMOVED_BYTES = 8 * 1024 * 1024;
const REMOVED_SHARE = 0.5;
/**
 * Bytes of dead writers that one fold takes: few enough to end within a life of a fraction of a second, and in a large store enough that the
 * number of directories does not follow its size.
 */
const MIN_FOLD_BYTES = 4 * 1024 * 1024;
const MAX_FOLD_BYTES = 16 * 1024 * 1024;
const FOLD_SHARE = 1 / 16;
/** How long another process is left to do it, in milliseconds, before the next attempt. */
const PATIENCE_MS = 1_000;

/** Runs a compaction, or a fold of dead writers that hold `maxBytes` between them. */
export type Compact = (options: {
  readonly signal: AbortSignal;
  readonly maxBytes?: number;
}) => Promise<unknown>;

export class AutoCompaction {
  readonly #catalog: Catalog;
  readonly #findings: Findings;
  readonly #compact: Compact;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  /** Dead writers that the last run could not take: only more than these are a reason. */
  #deadLeft = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(catalog: Catalog, findings: Findings, compact: Compact) {
    this.#catalog = catalog;
    this.#findings = findings;
    this.#compact = compact;
  }

  /** Called before an agent is taken: waits for what is under way where dead writers have piled up. */
  async relieve(): Promise<void> {
    this.consider();
    if (this.#dead() - this.#deadLeft > MOST_DEAD_WRITERS) await this.#running;
  }

  /** Called after a commit; cheap. */
  consider(): void {
    if (this.#running !== undefined || this.#abort.signal.aborted) return;
    const run = this.#isCrowded() ? this.#fold() : this.#isWasteful() ? this.#giveBack() : undefined;
    this.#running = run?.finally(() => {
      this.#running = undefined;
    });
  }

  /** Stops what is under way, and starts no more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  #isCrowded(): boolean {
    return this.#dead() - this.#deadLeft > MAX_DEAD_WRITERS && performance.now() >= this.#notBeforeMs;
  }

  #isWasteful(): boolean {
    const removed = this.#catalog.removedBytes;
    return removed >= MIN_REMOVED_BYTES && removed > REMOVED_SHARE * this.#bytes();
  }

  #bytes(): number {
    let bytes = 0;
    for (const segment of this.#catalog.directory.segments()) bytes += segment.end.length;
    return bytes;
  }

  #dead(): number {
    return this.#catalog.directory.foldableWriters.length;
  }

  async #fold(): Promise<void> {
    const before = this.#dead();
    const maxBytes = Math.min(MAX_FOLD_BYTES, Math.max(MIN_FOLD_BYTES, this.#bytes() * FOLD_SHARE));
    const hasRun = await this.#run({ signal: this.#abort.signal, maxBytes });
    const after = this.#dead();
    if (!hasRun) this.#notBeforeMs = performance.now() + PATIENCE_MS;
    else this.#deadLeft = after < before ? 0 : after;
  }

  async #giveBack(): Promise<void> {
    await this.#run({ signal: this.#abort.signal });
  }

  /** False when someone else is at it, or the store is being closed. */
  async #run(options: Parameters<Compact>[0]): Promise<boolean> {
    try {
      await this.#compact(options);
    } catch (error) {
      if (
        isCkptError(error, "CKPT_LOCKED") ||
        isCkptError(error, "CKPT_CONFLICT") ||
        this.#abort.signal.aborted
      )
        return false;
      this.#findings.add({
        kind: "stale",
        place: "maintenance",
        message: `Space could not be given back: ${error instanceof Error ? error.message : String(error)}`,
        affectedIds: [],
        remedy: "Nothing is lost. It is tried again later; compact() says more.",
      });
      // Not again for the same bytes.
      this.#catalog.removedBytes = 0;
    }
    return true;
  }
}
