/**
 * This process as a writer of the store: a directory of its own, held for life; the log in it; heads, hints and reserve beside it.
 *
 * Order at the beginning: directories (each parent synced), FORMAT, the writer's lease, and only then the first segment.
 */
import { isCkptError } from "@ckpt/errors";
import { acquireLease, ensureDirectory, type FileSystem, type Lease } from "@ckpt/io";
import type { Catalog } from "./catalog.js";
import type { Findings } from "./findings.js";
import { ensureStoreId } from "./format-file.js";
import type { SegmentHead } from "./heads.js";
import { HeadsKeeper } from "./heads-keeper.js";
import { newWriterId, type StoreLayout } from "./layout.js";
import type { LogSegment } from "./log-segment.js";
import { LogWriter } from "./log-writer.js";
import type { ResolvedOptions } from "./options.js";
import type { PendingCommit } from "./pending-commit.js";
import { Reserve } from "./reserve.js";

const MAX_ATTEMPTS = 5;

export interface OwnWriterContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly options: ResolvedOptions;
  readonly catalog: Catalog;
  readonly findings: Findings;
  /** A commit is durable and in the agents' histories. */
  onCommit(commit: PendingCommit): void;
}

export class OwnWriter {
  readonly writerId: string;
  readonly storeId: string;
  readonly log: LogWriter;
  readonly reserve: Reserve;
  readonly heads: HeadsKeeper;
  readonly #context: OwnWriterContext;
  readonly #lease: Lease;
  #segments: LogSegment[] = [];
  /** Heads of segments that compaction wrote here. */
  #outputs: SegmentHead[] = [];

  private constructor(context: OwnWriterContext, writerId: string, storeId: string, lease: Lease) {
    this.#context = context;
    this.writerId = writerId;
    this.storeId = storeId;
    this.#lease = lease;
    const { fs, layout, options, findings } = context;
    this.reserve = new Reserve(fs, layout, writerId, options.reserveBytes);
    this.heads = new HeadsKeeper({ fs, layout, writerId, findings }, () => this.#currentHeads());
    this.log = new LogWriter({
      fs,
      layout,
      options,
      storeId,
      writerId,
      onSegment: (segment) => this.#began(segment),
      onCommit: (commit) => this.#committed(commit),
      onSealed: (segment) => this.#sealed(segment),
      isDiskFull: () => this.reserve.isReleased,
      releaseReserve: () => this.reserve.release(),
    });
  }

  static async begin(context: OwnWriterContext): Promise<OwnWriter> {
    const { fs, layout, catalog } = context;
    await ensureDirectory(layout.root, { fs });
    for (const directory of layout.directories()) await ensureDirectory(directory, { fs });
    const storeId = await ensureStoreId(fs, layout, catalog.directory.storeId);
    for (let attempt = 1; ; attempt++) {
      const writerId = newWriterId();
      try {
        const lease = await acquireLease(layout.writer(writerId), {
          fs,
          writer: writerId,
          subject: "segments",
        });
        catalog.directory.setOwnWriter(writerId, storeId);
        return new OwnWriter(context, writerId, storeId, lease);
      } catch (error) {
        // Maintenance may have taken a directory that was made a moment ago for one left by a crash.
        const mayPass = isCkptError(error, "CKPT_LOCKED") || isCkptError(error, "CKPT_NOT_FOUND");
        if (!mayPass || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** A segment that compaction has written in this writer's name. */
  addOutput(head: SegmentHead): void {
    this.#outputs.push(head);
  }

  /** Segments that no longer count need no head. True when there were some. */
  forget(isGone: (number: number) => boolean): boolean {
    const before = this.#segments.length + this.#outputs.length;
    this.#segments = this.#segments.filter((segment) => !isGone(segment.header.number));
    this.#outputs = this.#outputs.filter((head) => !isGone(head.number));
    return this.#segments.length + this.#outputs.length < before;
  }

  /** Before others may rely on what is there; what cannot be voided is a finding. */
  async settleVoids(): Promise<void> {
    await this.log.settleVoids().catch((error: unknown) => {
      this.#context.findings.add({
        kind: "stale",
        place: this.#context.layout.root,
        message: `What a failed write left behind could not be voided: ${error instanceof Error ? error.message : String(error)}`,
        affectedIds: [],
        remedy: "A save that was rejected may show again. Nothing that was acknowledged is touched.",
      });
    });
  }

  /** Finishes what was submitted, seals the log, records heads, and gives the writer's lease back. */
  async close(): Promise<void> {
    await this.log.settled();
    await this.settleVoids();
    await this.log.seal();
    await this.reserve.close();
    if (this.#currentHeads().length > 0) await this.heads.flush();
    else await this.heads.stop();
    await this.#lease.release();
  }

  #currentHeads(): SegmentHead[] {
    return [...this.#outputs, ...this.#segments.map((segment) => segment.head())].sort(
      (a, b) => a.number - b.number,
    );
  }

  #began(segment: LogSegment): void {
    this.#segments.push(segment);
    segment.view.isOpen = true;
    this.#context.catalog.directory.addOwn(segment.view);
  }

  #committed(commit: PendingCommit): void {
    for (const entry of commit.planned) this.#context.catalog.written(entry);
    for (const writer of commit.writers) writer.done();
    this.heads.touch();
    this.reserve.ensure();
    this.#context.onCommit(commit);
  }

  /** The file first, then what is derived from it. What fails here is rebuilt by readers. */
  async #sealed(segment: LogSegment): Promise<void> {
    const { findings } = this.#context;
    try {
      await segment.log.close();
      await segment.view.writeHint();
    } catch (error) {
      findings.add({
        kind: "stale",
        place: segment.view.path,
        message: `The segment could not be closed in full: ${error instanceof Error ? error.message : String(error)}`,
        affectedIds: [],
        remedy: "Everything acknowledged is there; opening reads the segment instead of a hint.",
      });
    } finally {
      segment.view.isOpen = false;
    }
    await this.heads.flush();
  }
}
