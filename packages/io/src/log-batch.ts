import { crc32 } from "./crc32.js";
import { FIRST_FRAGMENT, FRAME_HEADER_BYTES, LAST_FRAGMENT, writeFrameHeader } from "./frame.js";
import type { PendingRecord } from "./log-record.js";

/** Chunks up to this many bytes are copied next to each other; longer ones go to the disk from where they are. */
const COPY_BYTES = 16 * 1024;
const ARENA_BYTES = 256 * 1024;
const ZEROS_BYTES = 64 * 1024;

let zeros: Uint8Array | undefined;

/**
 * The frames of one write. Headers and short chunks share one buffer, which is used again for the next write, so that
 * a small record costs a copy and no allocation.
 */
export class LogBatch {
  /** What to write, in order. */
  buffers: Uint8Array[] = [];
  /** Bytes of frames, without the zeros behind them. */
  frameBytes = 0;
  #arena = Buffer.allocUnsafeSlow(ARENA_BYTES);
  #used = 0;
  /** Where in the arena the last of `buffers` begins; -1 when that is no part of the arena. */
  #runStart = -1;

  /** Forgets the last write. */
  clear(): void {
    this.buffers = [];
    this.frameBytes = 0;
    this.#used = 0;
    this.#runStart = -1;
  }

  /** Gives its memory back; a closed log may be kept for long. */
  release(): void {
    this.clear();
    this.#arena = Buffer.alloc(0);
  }

  /** Adds the fragment that `record` holds as a frame at `offset`; returns its chain value. */
  addFragment(record: PendingRecord, offset: number, acked: number, previousChain: Uint8Array): Uint8Array {
    const header = this.#reserve(FRAME_HEADER_BYTES);
    const arena = this.#arena;
    let bodyCrc = 0;
    for (const chunk of record.chunks) {
      bodyCrc = crc32(chunk, bodyCrc);
      if (chunk.length <= COPY_BYTES) this.#copy(chunk);
      else this.#append(chunk);
    }
    const flags = (record.fragments === 0 ? FIRST_FRAGMENT : 0) | (record.isComplete ? LAST_FRAGMENT : 0);
    const { kind, codec, fragmentBytes: bodyBytes } = record;
    this.frameBytes += FRAME_HEADER_BYTES + bodyBytes;
    record.fragments++;
    return writeFrameHeader(
      arena,
      header,
      { offset, kind, codec, flags, acked, bodyBytes, bodyCrc },
      previousChain,
    );
  }

  /** Adds zeros behind the frames. */
  addZeros(bytes: number): void {
    zeros ??= new Uint8Array(ZEROS_BYTES);
    for (let left = bytes; left > 0; left -= zeros.length) {
      this.#append(left >= zeros.length ? zeros : zeros.subarray(0, left));
    }
  }

  #copy(chunk: Uint8Array): void {
    const at = this.#reserve(chunk.length);
    this.#arena.set(chunk, at);
  }

  /** Room for `bytes` in the arena, as the next bytes of the write. */
  #reserve(bytes: number): number {
    if (this.#used + bytes > this.#arena.length) {
      this.#arena = Buffer.allocUnsafeSlow(ARENA_BYTES);
      this.#used = 0;
      this.#runStart = -1;
    }
    const at = this.#used;
    this.#used += bytes;
    if (this.#runStart === -1) {
      this.#runStart = at;
      this.buffers.push(this.#arena.subarray(at, this.#used));
    } else this.buffers[this.buffers.length - 1] = this.#arena.subarray(this.#runStart, this.#used);
    return at;
  }

  #append(buffer: Uint8Array): void {
    this.buffers.push(buffer);
    this.#runStart = -1;
  }
}
