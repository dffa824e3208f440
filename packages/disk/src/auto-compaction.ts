/** Decides when compaction is worth its while, and runs it beside the saves. */
import { isCkptError } from "@ckpt/errors";
import type { Catalog } from "./catalog.js";
import type { Findings } from "./findings.js";

/** Directories of dead writers that are left alone; more are folded in. */
const MAX_DEAD_WRITERS = 8;
/** Removed bytes that are left alone, and the share of all bytes above which they are given back. */
const MIN_REMOVED_BYTES = 8 * 1024 * 1024;
const REMOVED_SHARE = 0.5;

export class AutoCompaction {
  readonly #catalog: Catalog;
  readonly #findings: Findings;
  readonly #compact: (signal: AbortSignal) => Promise<unknown>;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  /** Dead writers that the last run has left (their machine may not be reachable): only more than these are a reason. */
  #deadLeft = 0;

  constructor(catalog: Catalog, findings: Findings, compact: (signal: AbortSignal) => Promise<unknown>) {
    this.#catalog = catalog;
    this.#findings = findings;
    this.#compact = compact;
  }

  /** Called after a commit; cheap. */
  consider(): void {
    if (this.#running !== undefined || this.#abort.signal.aborted || !this.#isWorthIt()) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Stops what is under way, and starts no more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  #isWorthIt(): boolean {
    if (this.#ended() - this.#deadLeft > MAX_DEAD_WRITERS) return true;
    const removed = this.#catalog.removedBytes;
    if (removed < MIN_REMOVED_BYTES) return false;
    let bytes = 0;
    for (const segment of this.#catalog.directory.segments()) bytes += segment.end.length;
    return removed > REMOVED_SHARE * bytes;
  }

  #ended(): number {
    return this.#catalog.directory.endedWriters;
  }

  async #run(): Promise<void> {
    try {
      await this.#compact(this.#abort.signal);
    } catch (error) {
      // Someone else is at it, or the store is being closed.
      if (
        isCkptError(error, "CKPT_LOCKED") ||
        isCkptError(error, "CKPT_CONFLICT") ||
        this.#abort.signal.aborted
      )
        return;
      this.#findings.add({
        kind: "stale",
        place: "maintenance",
        message: `Space could not be given back: ${error instanceof Error ? error.message : String(error)}`,
        affectedIds: [],
        remedy: "Nothing is lost. It is tried again later; compact() says more.",
      });
      // Not again for the same bytes.
      this.#catalog.removedBytes = 0;
    } finally {
      this.#deadLeft = this.#ended();
    }
  }
}
