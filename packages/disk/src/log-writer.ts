/**
 * Sends commits to the current segment, and gets over its failures.
 *
 * What must hold:
 * - commits are acknowledged in the order in which they were submitted, whatever segments they end up in;
 * - a segment in which a write failed takes nothing more, and nothing of it counts behind its acknowledged end;
 * - what was sent there and not acknowledged goes to a fresh segment with the same ids, epochs and numbers, or is rejected,
 *   all of it, with the agents back at what was acknowledged;
 * - a commit that fails by itself, the disk being well, is rejected with what its agents sent after it, and nobody else's.
 */
import { isCkptError } from "@ckpt/errors";
import { type AppendReceipt, classify, type FileSystem, toCkptError } from "@ckpt/io";
import { planCommit } from "./commit-body.js";
import { giveUpAll, giveUpOne } from "./give-up.js";
import type { StoreLayout } from "./layout.js";
import { LogSegment } from "./log-segment.js";
import type { ResolvedOptions } from "./options.js";
import type { PendingCommit } from "./pending-commit.js";
import { FORMAT_VERSION, type VoidFrom } from "./segment-header.js";

/** Fresh segments that are tried in a row, before what is pending is rejected. */
const MAX_FAILURES = 2;
/** Commits that come less than this apart keep the log busy. */
const BUSY_MS = 20;
/** A segment is worth keeping while its keyframes are more than this share of it. */
const KEYFRAME_SHARE = 4;

export interface LogWriterContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly options: ResolvedOptions;
  readonly storeId: string;
  readonly writerId: string;
  /** A segment has been begun. */
  onSegment(segment: LogSegment): void;
  /** A commit is durable; its entries have their places. */
  onCommit(commit: PendingCommit): void;
  /** A segment takes no more. Must not throw. */
  onSealed(segment: LogSegment): Promise<void>;
  /** Whether the disk was full and has not been seen with room since. */
  isDiskFull(): boolean;
  /** The disk is full: gives up what is kept for that. False: there is nothing. */
  releaseReserve(): Promise<boolean>;
}

export class LogWriter {
  readonly #context: LogWriterContext;
  #current: LogSegment | undefined;
  /** Everything that is not acknowledged, in order. */
  #queue: PendingCommit[] = [];
  #nextNumber = 1;
  #submittedMs = Number.NEGATIVE_INFINITY;
  #voids: VoidFrom[] = [];
  /** No segment's header says yet what the last failure voided. */
  #areVoidsDue = false;
  #failures = 0;
  #lastFailure: unknown;
  #switching: Promise<void> | undefined;
  #drained: (() => void) | undefined;
  readonly #sealing = new Set<Promise<void>>();

  constructor(context: LogWriterContext) {
    this.#context = context;
  }

  /** Takes a number for a segment that someone else writes in this writer's name (compaction). */
  takeNumber(): number {
    return this.#nextNumber++;
  }

  /** Whether commits keep coming: what can wait steps back for them. */
  get isBusy(): boolean {
    return performance.now() - this.#submittedMs < BUSY_MS;
  }

  submit(commit: PendingCommit): void {
    this.#submittedMs = performance.now();
    this.#queue.push(commit);
    if (this.#switching !== undefined) return;
    if (this.#current === undefined) this.#switch();
    else this.#send(commit, this.#current);
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#queue.length > 0 || this.#switching !== undefined) {
      await (this.#switching ?? this.#queue.at(-1)!.done.then(ignore, ignore));
    }
    await Promise.all(this.#sealing);
  }

  /**
   * Before others may rely on what is there: where the last segment failed, one more says that nothing counts behind its end. Rejects where
   * that cannot be written; then what was rejected may show again.
   */
  async settleVoids(): Promise<void> {
    if (!this.#areVoidsDue) return;
    while (this.#switching !== undefined) await this.#switching;
    if (!this.#areVoidsDue || this.#current !== undefined) return;
    const beginning = this.#begin().then((segment) => {
      this.#current = segment;
    });
    this.#occupy(beginning.catch(ignore)); // commits that come meanwhile wait for it
    await beginning;
  }

  /**
   * Ends the current segment where `place`, as findings name it, is in it: there it is damaged or gone. Whatever is saved from now on
   * begins anew in another one, built on nothing that is lost.
   */
  leave(place: string): void {
    const path = this.#current?.view.path;
    if (path === undefined || this.#switching !== undefined) return;
    if (place === path || place.startsWith(`${path}:`)) this.#switch();
  }

  /** Ends the current segment; commits that come meanwhile go to another. */
  async seal(): Promise<void> {
    while (this.#switching !== undefined) await this.#switching;
    if (this.#current !== undefined) {
      this.#switch();
      await this.#switching;
    }
    await Promise.all(this.#sealing);
  }

  #switch(): void {
    this.#occupy(this.#switchSegments());
  }

  #occupy(work: Promise<void>): void {
    this.#switching = work.finally(() => {
      this.#switching = undefined;
      // A segment that failed again, or commits that came while the last one was sealed.
      if (this.#current?.isFailed === true || (this.#current === undefined && this.#queue.length > 0))
        this.#switch();
      else this.#sendWaiting();
    });
  }

  /** Ends the current segment, and begins another when there is something to write. */
  async #switchSegments(): Promise<void> {
    if (this.#current !== undefined) {
      await this.#drain(this.#current);
      this.#retire(this.#current);
    }
    while (this.#queue.length > 0 && this.#current === undefined) {
      try {
        if (this.#failures > MAX_FAILURES) throw this.#lastFailure;
        this.#current = await this.#begin();
      } catch (error) {
        await this.#couldNotBegin(error);
      }
    }
    this.#sendWaiting();
  }

  /** Called once more when a switch is over: a commit that came while it ended was not sent by its caller. */
  #sendWaiting(): void {
    for (const commit of [...this.#queue]) {
      if (this.#current === undefined || this.#current.isFailed) return;
      if (!commit.isSent && !commit.isRejected) this.#send(commit, this.#current);
    }
  }

  async #couldNotBegin(error: unknown): Promise<void> {
    const kind = classify(error);
    if (kind === "no-space" && this.#sealing.size > 0) {
      // Segments that are being closed give back the space zeroed behind their ends.
      await Promise.all(this.#sealing);
      return;
    }
    const isFinal = kind === "no-space" || kind === "no-permission" || ++this.#failures > MAX_FAILURES;
    if (!isFinal) return;
    if (
      kind === "no-space" &&
      this.#queue.every((c) => c.isSmall) &&
      (await this.#context.releaseReserve())
    ) {
      this.#failures = 0;
      return;
    }
    this.#giveUp(error);
  }

  async #begin(): Promise<LogSegment> {
    const { fs, layout, storeId, writerId } = this.#context;
    const number = this.#nextNumber++;
    const header = {
      format: FORMAT_VERSION,
      storeId,
      writerId,
      number,
      compacted: false,
      voids: this.#voids,
    };
    const segment = await LogSegment.create(fs, layout, header, {
      preallocate: !this.#context.isDiskFull(),
      blockingWrites: this.#context.options.blockingWrites,
    });
    this.#areVoidsDue = false;
    this.#context.onSegment(segment);
    return segment;
  }

  /** What was sent to a segment that is sound is waited for. */
  async #drain(segment: LogSegment): Promise<void> {
    while (!segment.isFailed && this.#queue.some((commit) => commit.isSent)) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }

  #retire(segment: LogSegment): void {
    this.#current = undefined;
    segment.isSealed = true;
    if (segment.isFailed) {
      const { number } = segment.header;
      this.#voids = [...this.#voids, { number, offset: segment.end.length }];
      this.#areVoidsDue = true;
      segment.view.setVoid(segment.end.length);
      for (const commit of this.#queue) commit.isSent = false;
    }
    const sealing = this.#context.onSealed(segment).finally(() => this.#sealing.delete(sealing));
    this.#sealing.add(sealing);
  }

  #send(commit: PendingCommit, segment: LogSegment): void {
    const { maxChainDeltas } = this.#context.options;
    try {
      const planned = planCommit(commit, segment.header.number, maxChainDeltas);
      commit.planned = planned.entries;
      commit.isSent = true;
      segment.append(planned.body).then(
        (receipt) => this.#acknowledge(commit, segment, receipt),
        (error: unknown) => this.#fail(commit, segment, error),
      );
    } catch (error) {
      // Nothing that was accepted fails to encode; should it, nothing of it is in the log.
      this.#giveUpOne(commit, error);
    }
  }

  #acknowledge(commit: PendingCommit, segment: LogSegment, receipt: AppendReceipt): void {
    // Behind a failure nothing counts: it is in the fresh segment anew, or was rejected.
    if (segment.isFailed) return;
    this.#failures = 0;
    this.#queue.shift();
    segment.acknowledge(commit.planned, receipt);
    this.#context.onCommit(commit);
    commit.succeed(receipt.length);
    this.#drained?.();
    if (this.#switching === undefined && this.#isFull(segment)) this.#switch();
  }

  #isFull(segment: LogSegment): boolean {
    const { length } = segment.end;
    return length >= this.#context.options.segmentBytes && length >= KEYFRAME_SHARE * segment.keyframeBytes;
  }

  #fail(commit: PendingCommit, segment: LogSegment, error: unknown): void {
    if (segment !== this.#current) return;
    if (isCkptError(error, "CKPT_LOG_POISONED")) {
      if (!segment.isFailed) this.#failures++;
      this.#lastFailure = unpoisoned(segment.log.failure ?? error);
    } else if (!commit.isRejected) this.#giveUpOne(commit, error);
    // Also where the log goes on: what depends on the commit may be in it, and must count no more than the commit does.
    segment.isFailed = true;
    this.#drained?.();
    if (this.#switching === undefined) this.#switch();
  }

  /** Rejects everything pending; the agents go back to what was acknowledged. */
  #giveUp(cause: unknown): void {
    const rejected = this.#queue;
    this.#queue = [];
    this.#failures = 0;
    giveUpAll(rejected, this.#commitError(cause));
  }

  /** A body failed by itself. */
  #giveUpOne(commit: PendingCommit, cause: unknown): void {
    this.#queue = giveUpOne(this.#queue, commit, this.#commitError(cause));
  }

  #commitError(cause: unknown) {
    return toCkptError(unpoisoned(cause), {
      doing: "write to the store in",
      path: this.#context.layout.root,
    });
  }
}

function ignore(): void {}

/** That a log was given up is this store's own affair: what made it so is what a caller can help. */
function unpoisoned(error: unknown): unknown {
  return isCkptError(error, "CKPT_LOG_POISONED") ? (error.cause ?? error) : error;
}
