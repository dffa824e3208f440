import type { FileHandle } from "./file-system.js";
import { FRAME_HEADER_BYTES, parseFrameHeader, ZERO_CHAIN } from "./frame.js";
import { FrameWalker, type IntactFrame } from "./frame-walker.js";
import { readFully } from "./fully.js";

/** How much is read a second time at most, beside the size of what is scanned, and what one look is counted as at least. */
const FREE_SECOND_LOOK_BYTES = 64 * 1024 * 1024;
const LEAST_SECOND_LOOK_BYTES = 4096;

/** Options of {@link scanFrames} and {@link scanRecords}. */
export interface ScanOptions {
  /** Where to begin, in bytes; must be the start of a frame. Default 0. */
  readonly from?: number;
  /** Where to stop, in bytes. Default: the size of the file when the scan begins. */
  readonly to?: number;
  /** The chain value before `from`. Default: {@link ZERO_CHAIN} when `from` is 0, else unknown. */
  readonly chain?: Uint8Array;
  /**
   * Bytes known from elsewhere (a recorded head) to have been acknowledged: what is bad or missing below is
   * damage, never a torn tail. Default 0.
   */
  readonly knownAckedBytes?: number;
  /** Bytes per read; default 1 MiB. Memory is bounded by this and the longest frame. */
  readonly blockBytes?: number;
}

/** An intact frame of a log. */
export interface ScannedFrame {
  readonly type: "frame";
  readonly offset: number;
  /** Where the next frame begins. */
  readonly end: number;
  readonly kind: number;
  readonly codec: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly acked: number;
  readonly chain: Uint8Array;
  /**
   * Whether its chain value continues the frame before: `"broken"` means that intact frames were removed, swapped or
   * put in; `"unknown"` stands after a bad region and where the scan's start was not known.
   */
  readonly link: "continues" | "broken" | "unknown";
  /** Stays as it is for as long as it is referenced; keeps the block it was read with in memory. */
  readonly body: Uint8Array;
}

/** Bytes that hold no intact frame. */
export interface BadRegion {
  readonly type: "bad";
  /**
   * `"torn"`: never acknowledged, a write that did not finish; the scan ends with it, `end` is the end of the scan.
   * `"damaged"`: acknowledged once, or to be taken for it; the scan goes on at `end`.
   */
  readonly reason: "torn" | "damaged";
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the frames of a log in order: intact frames, and bad regions between or behind them, each classified.
 *
 * A bad region is `damaged` when a later intact frame says that bytes above its start were acknowledged (or
 * `knownAckedBytes` does): the scan resynchronises on the next frame with a good checksum. Otherwise it is `torn` and
 * everything after it is dropped. Zeros up to the end are the log's end, no region. The file may be one that is being written: bytes
 * are called damaged only when they are so still after the frame that vouches for them was read.
 *
 * What it reads is hostile input: lengths are checked before anything is allocated, and after 256 MiB plus 16 times
 * the scanned size of checks on false frames the rest is reported as one damaged region.
 * Memory is bounded. Throws the file system's error where reading fails.
 */
export async function* scanFrames(
  handle: FileHandle,
  options: ScanOptions = {},
): AsyncGenerator<ScannedFrame | BadRegion, void, undefined> {
  const from = options.from ?? 0;
  const to = options.to ?? (await handle.stat()).size;
  const blockBytes = options.blockBytes ?? 1024 * 1024;
  const knownAcked = options.knownAckedBytes ?? 0;
  let walker = new FrameWalker(handle, from, to, blockBytes);
  const secondLook = new SecondLook(handle, from, to);
  let ahead: AckedAhead | undefined;
  let chain = options.chain ?? (from === 0 ? ZERO_CHAIN : undefined);
  let next: IntactFrame | undefined;
  let at = from;
  while (at < to) {
    const found = next ?? walker.frameAt(at);
    const frame = found instanceof Promise ? await found : found;
    next = undefined;
    if (frame !== undefined) {
      yield toScanned(frame, chain);
      chain = frame.chain;
      at = frame.end;
      continue;
    }
    if (await walker.onlyZerosFrom(at)) {
      if (at < knownAcked) yield { type: "bad", reason: "damaged", start: at, end: Math.max(to, knownAcked) };
      return;
    }
    ahead ??= new AckedAhead(new FrameWalker(handle, from, to, blockBytes), to, knownAcked);
    if (!(await ahead.wasAcked(at))) {
      yield { type: "bad", reason: "torn", start: at, end: to };
      return;
    }
    // What vouches for them was read after them. A writer that lives may have written them in between.
    next = await secondLook.frameAt(at);
    if (next !== undefined) {
      walker = new FrameWalker(handle, at, to, blockBytes);
      continue;
    }
    const resumed = await walker.resync(at);
    next = resumed === "gave-up" ? undefined : resumed;
    yield { type: "bad", reason: "damaged", start: at, end: next?.offset ?? Math.max(to, knownAcked) };
    if (next === undefined) return;
    chain = undefined;
    at = next.offset;
  }
  if (at < knownAcked) yield { type: "bad", reason: "damaged", start: at, end: knownAcked };
}

function toScanned(frame: IntactFrame, chain: Uint8Array | undefined): ScannedFrame {
  const { offset, end, kind, codec, isFirst, isLast, acked, body } = frame;
  const link = chain === undefined ? "unknown" : frame.continues(chain) ? "continues" : "broken";
  return { type: "frame", offset, end, kind, codec, isFirst, isLast, acked, chain: frame.chain, link, body };
}

/** Reads single frames anew. Hostile bytes could ask for that again and again, so all of it together is bounded. */
class SecondLook {
  readonly #handle: FileHandle;
  readonly #to: number;
  #bytesLeft: number;

  constructor(handle: FileHandle, from: number, to: number) {
    this.#handle = handle;
    this.#to = to;
    this.#bytesLeft = FREE_SECOND_LOOK_BYTES + (to - from);
  }

  async frameAt(offset: number): Promise<IntactFrame | undefined> {
    if (this.#bytesLeft < 0) return undefined;
    const head = Buffer.alloc(FRAME_HEADER_BYTES);
    const length = await readFully(this.#handle, head, 0, FRAME_HEADER_BYTES, offset);
    this.#bytesLeft -= LEAST_SECOND_LOOK_BYTES;
    const header = length === FRAME_HEADER_BYTES ? parseFrameHeader(head, 0, offset) : undefined;
    if (header === undefined) return undefined;
    const frameBytes = FRAME_HEADER_BYTES + header.bodyBytes;
    this.#bytesLeft -= frameBytes;
    return new FrameWalker(this.#handle, offset, this.#to, frameBytes).frameAt(offset);
  }
}

/** Looks ahead for a frame that vouches for a bad region. It never goes back, so all lookahead together is one pass. */
class AckedAhead {
  readonly #walker: FrameWalker;
  readonly #to: number;
  #acked: number;
  #at = 0;
  #done = false;

  constructor(walker: FrameWalker, to: number, knownAckedBytes: number) {
    this.#walker = walker;
    this.#to = to;
    this.#acked = knownAckedBytes;
  }

  /** Whether an intact frame behind the bad bytes at `bad` says that they were acknowledged. */
  async wasAcked(bad: number): Promise<boolean> {
    this.#at = Math.max(this.#at, bad);
    while (this.#acked <= bad && !this.#done) await this.#step();
    return this.#acked > bad;
  }

  async #step(): Promise<void> {
    const frame =
      this.#at >= this.#to
        ? undefined
        : ((await this.#walker.frameAt(this.#at)) ?? (await this.#walker.resync(this.#at)));
    if (frame === "gave-up") {
      // Too costly to find out: never drop silently what may have been acknowledged.
      this.#acked = this.#to;
      this.#done = true;
    } else if (frame === undefined) this.#done = true;
    else {
      this.#acked = Math.max(this.#acked, frame.acked);
      this.#at = frame.end;
    }
  }
}
