/**
 * One append-only file of frames.
 *
 * What must hold at every moment:
 * - One write is under way at most. Records are in the file in the order of their appends, and each is contiguous.
 * - A record is acknowledged (its append resolves) only after a synchronous (O_DSYNC) write with its last fragment
 *   returned, and everything before it has been written likewise.
 * - `acked` in a frame is never above the end of the last acknowledged record.
 * - After a failed write nothing is ever written to the file again, not even by `close`.
 * - The file's directory entry is durable before the first append starts.
 */
import { dirname } from "node:path";
import { CkptError, isCkptError } from "@ckpt/errors";
import { afterMicrotasks } from "./after-microtasks.js";
import { toCkptError } from "./classify.js";
import type { FileHandle } from "./file-system.js";
import { ZERO_CHAIN } from "./frame.js";
import { checkLogOptions, type FrameLogOptions } from "./frame-log-options.js";
import { writeFully } from "./fully.js";
import { LogBatch } from "./log-batch.js";
import { type AppendReceipt, type LogRecord, PendingRecord } from "./log-record.js";
import { nodeFileSystem } from "./node-file-system.js";
import { poisonedError } from "./poisoned.js";
import { Preallocation } from "./preallocation.js";
import { withHandle } from "./with-handle.js";

/** A point up to which a log is known to be whole. */
export interface LogHead {
  /** Bytes from the start of the file to the end of the last acknowledged record. */
  readonly length: number;
  /** The chain value there. */
  readonly chain: Uint8Array;
  /** Where the last frame before it begins; undefined while there is none. `readFrame` gives its chain for comparison. */
  readonly lastFrame: number | undefined;
}

interface Completed {
  readonly record: PendingRecord;
  readonly receipt: AppendReceipt;
}

export class FrameLog {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #fragmentBytes: number;
  readonly #maxBatchBytes: number;
  readonly #space: Preallocation;
  readonly #batch = new LogBatch();
  #queue: PendingRecord[] = [];
  #next = 0;
  #current: PendingRecord | undefined;
  #completed: Completed[] = [];
  #position = 0;
  #chain: Uint8Array;
  #head: LogHead;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #failure: unknown;
  #isPoisoned = false;

  private constructor(handle: FileHandle, path: string, options: FrameLogOptions) {
    this.path = path;
    this.#handle = handle;
    this.#fragmentBytes = options.fragmentBytes ?? 1024 * 1024;
    this.#maxBatchBytes = options.maxBatchBytes ?? 2 * 1024 * 1024;
    this.#space = new Preallocation(options.preallocate ?? true);
    this.#chain = options.chain ?? ZERO_CHAIN;
    this.#head = { length: 0, chain: this.#chain, lastFrame: undefined };
  }

  /**
   * Creates the file exclusively (`CKPT_CONFLICT` when the name is taken) and makes its directory entry durable.
   * Other failures: `CKPT_INVALID_ARGUMENT`, `CKPT_NO_SPACE`, `CKPT_NO_PERMISSION`, `CKPT_NOT_FOUND` (no such directory), `CKPT_IO`.
   */
  static async create(path: string, options: FrameLogOptions = {}): Promise<FrameLog> {
    const fs = options.fs ?? nodeFileSystem;
    checkLogOptions(options);
    let handle: FileHandle | undefined;
    try {
      const { mode = 0o600, blockingWrites = false } = options;
      const how = { access: "write", create: "exclusive", mode, dsync: true, blockingWrites } as const;
      handle = await fs.open(path, how);
      await fs.syncDirectory(dirname(path));
      return new FrameLog(handle, path, options);
    } catch (error) {
      // The entry may or may not be durable; an empty file is harmless, and the name is not used again.
      await handle?.close().catch(() => undefined);
      throw toCkptError(error, { doing: "create the log", path });
    }
  }

  /** Bytes of frames in the file, acknowledged or not; the space zeroed ahead is not counted. */
  get size(): number {
    return this.#position;
  }

  /** The end of the last acknowledged record. */
  get ackedBytes(): number {
    return this.#head.length;
  }

  /** The chain value after the last acknowledged record. */
  get lastChain(): Uint8Array {
    return this.#head.chain;
  }

  /** `ackedBytes` and `lastChain` of one moment: what an owner records elsewhere, to notice a log cut short or swapped. */
  get head(): LogHead {
    return this.#head;
  }

  /** What failed, once a write has; else undefined. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether a write failed, after which the log takes nothing more. */
  get isPoisoned(): boolean {
    return this.#isPoisoned;
  }

  /**
   * Appends one record; resolves once it is durable. Appends made in one go (with the microtasks that follow), and those that
   * arrive while a write is under way, share the next write. The body is read when its turn comes, in the order of the appends;
   * a body that waits (an async iterable) makes the records behind it wait.
   *
   * Rejects with `CKPT_LOG_POISONED` once any write failed (`details.possiblyWritten`: this record may be in the file;
   * `cause`: what failed), `CKPT_CLOSED` after `close`, `CKPT_INVALID_ARGUMENT`, or with what the body threw: then the
   * record never happened, and the log goes on.
   */
  append(record: LogRecord): Promise<AppendReceipt> {
    return new Promise((resolve, reject) => {
      if (this.#isPoisoned) throw poisonedError(this.path, this.#failure, this.ackedBytes, false);
      if (this.#closing !== undefined) throw closedError(this.path);
      this.#queue.push(new PendingRecord(record, resolve, reject));
      this.#running ??= this.#run();
    });
  }

  /**
   * Waits for the appends under way, cuts the zeroed space off, syncs and closes. Idempotent. Of a poisoned log it only
   * closes the file. Throws when cutting or syncing fails; every acknowledged record is durable all the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#running;
    this.#batch.release();
    const finish = async (handle: FileHandle) => {
      if (this.#isPoisoned) return;
      // Not #position: the fragments of an abandoned record at the end are of no use to anyone.
      await handle.truncate(this.#head.length);
      await handle.sync();
    };
    await withHandle(this.#handle, finish).catch((error: unknown) => {
      throw toCkptError(error, { doing: "close the log", path: this.path });
    });
  }

  async #run(): Promise<void> {
    // Appends of the work that runs now, with all its microtasks, join the next write: also those of the callers whose
    // records the last write made durable.
    for (await afterMicrotasks(); this.#hasWork(); await afterMicrotasks()) {
      try {
        const filling = this.#fillBatch();
        if (filling !== undefined) await filling;
        if (this.#batch.frameBytes > 0) await this.#writeBatch();
      } catch (error) {
        this.#poison(error);
        break;
      }
    }
    this.#running = undefined;
  }

  #hasWork(): boolean {
    return this.#current !== undefined || this.#next < this.#queue.length;
  }

  /** A promise only where a body makes the batch wait. */
  #fillBatch(): Promise<void> | undefined {
    this.#batch.clear();
    this.#completed = [];
    this.#forgetTaken();
    return this.#fillOn();
  }

  #fillOn(): Promise<void> | undefined {
    while (this.#batch.frameBytes < this.#maxBatchBytes) {
      this.#current ??= this.#queue[this.#next++];
      const record = this.#current;
      if (record === undefined) {
        this.#next--;
        this.#forgetTaken();
        return undefined;
      }
      try {
        const filling = record.fill(this.#fragmentBytes);
        if (filling !== undefined) return this.#fillAfter(record, filling);
      } catch (error) {
        this.#drop(record, error);
        continue;
      }
      this.#addFragment(record);
    }
    return undefined;
  }

  /** What was taken must not be held on to: while appends go on and on, the queue is never empty. */
  #forgetTaken(): void {
    this.#queue.splice(0, this.#next);
    this.#next = 0;
  }

  async #fillAfter(record: PendingRecord, filling: Promise<undefined>): Promise<void> {
    let isFilled = true;
    try {
      await filling;
    } catch (error) {
      isFilled = false;
      this.#drop(record, error);
    }
    if (isFilled) this.#addFragment(record);
    await this.#fillOn();
  }

  /** Only this record fails; fragments of it that were written stay behind without a last one. */
  #drop(record: PendingRecord, error: unknown): void {
    this.#current = undefined;
    record.abandon();
    record.reject(error);
  }

  #addFragment(record: PendingRecord): void {
    const offset = this.#position;
    if (record.offset === -1) record.offset = offset;
    const before = this.#batch.frameBytes;
    this.#chain = this.#batch.addFragment(record, offset, this.#head.length, this.#chain);
    this.#position += this.#batch.frameBytes - before;
    if (!record.isComplete) return;
    const length = this.#position - record.offset;
    const receipt = { offset: record.offset, length, lastFrame: offset, chain: this.#chain };
    this.#completed.push({ record, receipt });
    this.#current = undefined;
  }

  async #writeBatch(): Promise<void> {
    const { frameBytes, buffers } = this.#batch;
    const end = this.#position;
    // In the middle of a long record the next fragment follows at once.
    const ahead = this.#current === undefined ? this.#space.bytesAfter(end, frameBytes) : 0;
    this.#batch.addZeros(ahead);
    const written = await writeFully(this.#handle, buffers, end - frameBytes, frameBytes);
    this.#space.wrote(end, ahead, written - frameBytes);
    const last = this.#completed.at(-1);
    if (last === undefined) return;
    const { offset, length, chain, lastFrame } = last.receipt;
    this.#head = { length: offset + length, chain, lastFrame };
    for (const { record, receipt } of this.#completed) record.resolve(receipt);
    this.#completed = [];
  }

  #poison(failure: unknown): void {
    this.#isPoisoned = true;
    this.#failure = isCkptError(failure)
      ? failure
      : toCkptError(failure, { doing: "append to", path: this.path });
    const error = (touched: boolean) => poisonedError(this.path, this.#failure, this.ackedBytes, touched);
    for (const { record } of this.#completed) record.reject(error(true));
    const waiting = this.#queue.slice(this.#next);
    if (this.#current !== undefined) waiting.unshift(this.#current);
    for (const record of waiting) {
      record.abandon();
      record.reject(error(record.fragments > 0));
    }
    this.#completed = [];
    this.#current = undefined;
    this.#queue = [];
    this.#next = 0;
  }
}

function closedError(path: string): CkptError {
  return new CkptError("CKPT_CLOSED", {
    message: `The log ${path} was closed`,
    hint: "Append before close(), or create a fresh log.",
    details: { path },
  });
}
