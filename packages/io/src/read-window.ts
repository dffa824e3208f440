import type { FileHandle } from "./file-system.js";
import { readFully } from "./fully.js";

/**
 * A window of a file that moves forward in big blocks. Each block is a buffer of its own, never reused, so that
 * what was handed out stays as it is; memory is bounded by the block size or the longest range asked for.
 */
export class ReadWindow {
  readonly #handle: FileHandle;
  readonly #to: number;
  readonly #blockBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;

  /** Reads `handle` up to the offset `to`, `blockBytes` at a time. */
  constructor(handle: FileHandle, to: number, blockBytes: number) {
    this.#handle = handle;
    this.#to = to;
    this.#blockBytes = blockBytes;
  }

  /** The bytes from `position`, at least `length` of them, fewer only at the end: if they are in memory already. */
  peek(position: number, length: number): Buffer | undefined {
    const at = position - this.#start;
    if (at < 0 || at > this.#bytes.length) return undefined;
    const wanted = Math.min(length, this.#to - position);
    return this.#bytes.length - at >= wanted ? this.#bytes.subarray(at) : undefined;
  }

  /** The same, reading where needed. */
  async view(position: number, length: number): Promise<Buffer> {
    const there = this.peek(position, length);
    if (there !== undefined) return there;
    const wanted = Math.max(0, Math.min(this.#to - position, Math.max(length, this.#blockBytes)));
    const bytes = Buffer.allocUnsafeSlow(wanted);
    const at = position - this.#start;
    const kept = at >= 0 && at < this.#bytes.length ? this.#bytes.copy(bytes, 0, at) : 0;
    const read = await readFully(this.#handle, bytes, kept, wanted - kept, position + kept);
    this.#bytes = bytes.subarray(0, kept + read);
    this.#start = position;
    return this.#bytes;
  }
}
