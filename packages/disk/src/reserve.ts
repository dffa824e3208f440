/** Zeros kept on the disk, so that a full one has room to shrink: given up only for removals and compaction. */
import { classify, type FileSystem, writeFully } from "@ckpt/io";
import type { StoreLayout } from "./layout.js";

const CHUNK_BYTES = 64 * 1024;

export class Reserve {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #directory: string;
  readonly #bytes: number;
  #isThere = false;
  #running: Promise<void> = Promise.resolve();

  constructor(fs: FileSystem, layout: StoreLayout, writerId: string, bytes: number) {
    this.#fs = fs;
    this.#path = layout.reserve(writerId);
    this.#directory = layout.writer(writerId);
    this.#bytes = bytes;
  }

  /** Sets it aside in the background when it is not there. A disk that has no room for it is left alone. */
  ensure(): void {
    if (this.#isThere || this.#bytes === 0) return;
    this.#isThere = true;
    this.#running = this.#running.then(() => this.#write());
  }

  /** Gives the space back to the disk; false when there is none. */
  async release(): Promise<boolean> {
    await this.#running;
    if (!this.#isThere) return false;
    this.#isThere = false;
    return this.#unlink();
  }

  async #write(): Promise<void> {
    try {
      const handle = await this.#fs.open(this.#path, { access: "write", create: "exclusive", mode: 0o600 });
      try {
        const zeros = Buffer.alloc(Math.min(CHUNK_BYTES, this.#bytes));
        for (let at = 0; at < this.#bytes; at += zeros.length) {
          await writeFully(handle, [zeros.subarray(0, this.#bytes - at)], at);
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      await this.#fs.syncDirectory(this.#directory);
    } catch {
      // Nearly full, or read-only: the saves themselves will say so. What was written is of no use.
      this.#isThere = false;
      await this.#unlink();
    }
  }

  async #unlink(): Promise<boolean> {
    try {
      await this.#fs.unlink(this.#path);
      return true;
    } catch (error) {
      return classify(error) === "not-found";
    }
  }
}
