/** Zeros kept on the disk, so that a full one has room to shrink: given up only for removals and compaction. */
import { classify, type FileSystem, writeFully } from "@ckpt/io";
import type { StoreLayout } from "./layout.js";

const CHUNK_BYTES = 64 * 1024;
/** It is set aside again once the disk has so many times its size left. */
const AMPLE = 4;
/** A disk that had no room is asked again after so long, in milliseconds. */
const RETRY_MS = 1000;

export class Reserve {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #directory: string;
  readonly #bytes: number;
  #state: "absent" | "writing" | "there" = "absent";
  #running: Promise<void> = Promise.resolve();
  #isReleased = false;
  #retryAt = 0;

  constructor(fs: FileSystem, layout: StoreLayout, writerId: string, bytes: number) {
    this.#fs = fs;
    this.#path = layout.reserve(writerId);
    this.#directory = layout.writer(writerId);
    this.#bytes = bytes;
  }

  /** Whether the disk was full and has not been seen with room since: what is written now should take no more than it must. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Sets it aside in the background when it is not there and there is room. */
  ensure(): void {
    if (this.#state !== "absent" || this.#bytes === 0 || performance.now() < this.#retryAt) return;
    this.#state = "writing";
    this.#retryAt = performance.now() + RETRY_MS;
    this.#running = this.#write();
  }

  /** Gives the space back to the disk; false when there is none to give. */
  async release(): Promise<boolean> {
    await this.#running;
    if (this.#state !== "there") return false;
    this.#isReleased = true;
    this.#retryAt = performance.now() + RETRY_MS;
    return this.#unlink();
  }

  /** Removes it for good. */
  async close(): Promise<void> {
    await this.#running;
    if (this.#state === "there") await this.#unlink();
  }

  async #write(): Promise<void> {
    try {
      const free = await this.#fs.freeBytes(this.#directory);
      if (free !== undefined && free < AMPLE * this.#bytes) {
        this.#state = "absent";
        return;
      }
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
      this.#state = "there";
      this.#isReleased = false;
    } catch {
      // Nearly full, or read-only: the saves themselves will say so. What was written is of no use.
      await this.#unlink();
    }
  }

  async #unlink(): Promise<boolean> {
    try {
      await this.#fs.unlink(this.#path);
      this.#state = "absent";
      return true;
    } catch (error) {
      this.#state = classify(error) === "not-found" ? "absent" : "there";
      return false;
    }
  }
}
