/**
 * Finds intact frames, one after another, and the next one after bytes that are none. It knows nothing of torn and
 * damaged; frame-scan.ts decides that.
 */
import { crc32 } from "./crc32.js";
import type { FileHandle } from "./file-system.js";
import {
  chainAfter,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  type FrameHeader,
  frameCrc,
  parseFrameHeader,
} from "./frame.js";
import { ReadWindow } from "./read-window.js";

/** A frame whose checksum is right. */
export interface IntactFrame extends FrameHeader {
  readonly offset: number;
  /** Where the next frame begins. */
  readonly end: number;
  /** Valid for as long as it is referenced; keeps the block it was read with in memory. */
  readonly body: Uint8Array;
  /** Whether `chain` continues from `previous`. */
  continues(previous: Uint8Array): boolean;
}

const zeros = Buffer.alloc(64 * 1024);

/** How many bytes of false frames a walker checks before it gives up: hostile bytes could make it check for hours. */
const FREE_CHECK_BYTES = 256 * 1024 * 1024;
const CHECKS_PER_BYTE = 16;

export class FrameWalker {
  readonly #window: ReadWindow;
  readonly #to: number;
  #checkBytesLeft: number;

  constructor(handle: FileHandle, from: number, to: number, blockBytes: number) {
    this.#window = new ReadWindow(handle, to, blockBytes);
    this.#to = to;
    this.#checkBytesLeft = FREE_CHECK_BYTES + CHECKS_PER_BYTE * Math.max(0, to - from);
  }

  /** The intact frame that begins at `offset`, or undefined; a promise only where bytes have to be read. */
  frameAt(offset: number): IntactFrame | undefined | Promise<IntactFrame | undefined> {
    const head = this.#window.peek(offset, FRAME_HEADER_BYTES);
    if (head === undefined) return this.#frameAfterReading(offset, FRAME_HEADER_BYTES);
    const header = parseFrameHeader(head, 0, offset);
    if (header === undefined) return undefined;
    const frameBytes = FRAME_HEADER_BYTES + header.bodyBytes;
    if (offset + frameBytes > this.#to) return undefined;
    if (head.length >= frameBytes) return this.#verified(offset, header, head);
    return this.#frameAfterReading(offset, frameBytes);
  }

  async #frameAfterReading(offset: number, length: number): Promise<IntactFrame | undefined> {
    const bytes = await this.#window.view(offset, length);
    const header = parseFrameHeader(bytes, 0, offset);
    if (header === undefined) return undefined;
    const frameBytes = FRAME_HEADER_BYTES + header.bodyBytes;
    if (offset + frameBytes > this.#to) return undefined;
    if (bytes.length >= frameBytes) return this.#verified(offset, header, bytes);
    // Only a header was asked for; or the file is shorter than was said.
    return length >= frameBytes ? undefined : this.#frameAfterReading(offset, frameBytes);
  }

  #verified(offset: number, header: FrameHeader, bytes: Buffer): IntactFrame | undefined {
    const frameBytes = FRAME_HEADER_BYTES + header.bodyBytes;
    const body = bytes.subarray(FRAME_HEADER_BYTES, frameBytes);
    const bodyCrc = crc32(body);
    if (frameCrc(offset, bytes, 0, bodyCrc) !== header.crc) {
      this.#checkBytesLeft -= frameBytes;
      return undefined;
    }
    const continues = (previous: Uint8Array) => equal(chainAfter(previous, bytes, 0, bodyCrc), header.chain);
    const { bodyBytes, kind, codec, isFirst, isLast, acked, chain, crc } = header;
    const end = offset + frameBytes;
    return { bodyBytes, kind, codec, isFirst, isLast, acked, chain, crc, offset, end, body, continues };
  }

  /** Whether nothing but zeros follows from `offset` on. */
  async onlyZerosFrom(offset: number): Promise<boolean> {
    for (let at = offset; at < this.#to; ) {
      const bytes = await this.#view(at, 1);
      if (bytes.length === 0) return true; // the file is shorter than was said: nothing follows
      const length = Math.min(bytes.length, zeros.length);
      if (bytes.compare(zeros, 0, length, 0, length) !== 0) return false;
      at += length;
    }
    return true;
  }

  /**
   * The first intact frame after the bad bytes at `bad`; undefined when none is left, `"gave-up"` when too much was
   * checked in vain. Where the bad frame's own header still says how long it is, and the frame behind it continues
   * its chain, that is the one; else every magic is tried in turn.
   */
  async resync(bad: number): Promise<IntactFrame | undefined | "gave-up"> {
    const header = parseFrameHeader(await this.#view(bad, FRAME_HEADER_BYTES), 0, bad);
    if (header !== undefined) {
      this.#checkBytesLeft -= header.bodyBytes;
      const next = await this.frameAt(bad + FRAME_HEADER_BYTES + header.bodyBytes);
      if (next?.continues(header.chain)) return next;
    }
    for (let at = bad + 1; at < this.#to; ) {
      const bytes = await this.#view(at, FRAME_HEADER_BYTES);
      if (bytes.length < FRAME_HEADER_BYTES) return undefined;
      const hit = bytes.indexOf(FRAME_MAGIC);
      if (hit === -1) {
        at += bytes.length - (FRAME_MAGIC.length - 1);
        continue;
      }
      const frame = await this.frameAt(at + hit);
      if (frame !== undefined) return frame;
      if (this.#checkBytesLeft < 0) return "gave-up";
      at += hit + 1;
    }
    return undefined;
  }

  #view(offset: number, length: number): Buffer | Promise<Buffer> {
    return this.#window.peek(offset, length) ?? this.#window.view(offset, length);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}
