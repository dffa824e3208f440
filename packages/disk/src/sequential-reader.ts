import { type FileHandle, type FileSystem, readFully } from "@ckpt/io";
import type { PutEntry } from "./entry.js";
import { BadRecord, overlap, recordBodies } from "./record-frames.js";

const WINDOW_BYTES = 1024 * 1024;

/** Reads sections of one segment in the order of the file, a window at a time, verifying the frames that it uses. */
export class SequentialReader {
  readonly #fs: FileSystem;
  readonly #path: string;
  #handle: FileHandle | undefined;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.#path = path;
  }

  /** The state record of a put, as it is stored. Throws `BadRecord` where it is damaged. */
  async section(put: PutEntry): Promise<Uint8Array[]> {
    if (!this.#isInView(put)) await this.#view(put);
    return this.#sectionInView(put);
  }

  /** As {@link section}, at once; undefined where the file has to be read for it. */
  sectionAtHand(put: PutEntry): Uint8Array[] | undefined {
    return this.#isInView(put) ? this.#sectionInView(put) : undefined;
  }

  #sectionInView(put: PutEntry): Uint8Array[] {
    const parts: Uint8Array[] = [];
    const end = put.sectionOffset + put.sectionBytes;
    let at = 0;
    for (const body of recordBodies(this.#window, this.#start, put.offset, put.length)) {
      const part = overlap(body, at, put.sectionOffset, end);
      if (part !== undefined) parts.push(part);
      at += body.length;
    }
    if (at < end) throw new BadRecord(put.offset, "the record is too short");
    return parts;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  #isInView({ offset, length }: PutEntry): boolean {
    return offset >= this.#start && offset + length <= this.#start + this.#window.length;
  }

  /** Makes the window hold the record. A window is never written to again: parts of it may be on their way to the disk. */
  async #view({ offset, length }: PutEntry): Promise<void> {
    this.#handle ??= await this.#fs.open(this.#path, { access: "read" });
    const window = Buffer.allocUnsafeSlow(Math.max(length, WINDOW_BYTES));
    this.#window = window.subarray(0, await readFully(this.#handle, window, 0, window.length, offset));
    this.#start = offset;
  }
}
