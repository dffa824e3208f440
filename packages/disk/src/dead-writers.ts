/**
 * Writers whose process is gone, proven by holding their lease. Only maintenance takes such leases, under its own; what such a
 * writer left may be touched while they are held.
 */
import { isCkptError } from "@ckpt/errors";
import { acquireLease, classify, type FileSystem, type Lease } from "@ckpt/io";
import type { StoreLayout } from "./layout.js";

export class DeadWriters {
  readonly #fs: FileSystem;
  readonly #layout: StoreLayout;
  readonly #leases = new Map<string, Lease>();

  constructor(fs: FileSystem, layout: StoreLayout) {
    this.#fs = fs;
    this.#layout = layout;
  }

  get ids(): readonly string[] {
    return [...this.#leases.keys()];
  }

  /** Whether the writer is dead; from then on it stays so. */
  async take(writerId: string): Promise<boolean> {
    if (this.#leases.has(writerId)) return true;
    try {
      const fs = this.#fs;
      if ((await fs.stat(this.#layout.writer(writerId))) === undefined) return false;
      const lease = await acquireLease(this.#layout.writer(writerId), {
        fs,
        writer: "maintenance",
        subject: writerId,
      });
      this.#leases.set(writerId, lease);
      return true;
    } catch (error) {
      // Held, or of a machine that cannot be asked: it may write any moment.
      if (isCkptError(error, "CKPT_LOCKED")) return false;
      throw error;
    }
  }

  /**
   * Removes a writer's directory, with everything in it but segments, and its heads. Does nothing while a segment is there.
   * Resolves to the number of files removed.
   */
  async remove(writerId: string): Promise<number> {
    const directory = this.#layout.writer(writerId);
    const names = await this.#fs.readdir(directory);
    if (names.some((name) => name.endsWith(".seg"))) return 0;
    await unlinkQuietly(this.#fs, this.#layout.headsFile(writerId));
    // The lock goes last: until then nobody else can think that it is free.
    for (const name of names)
      if (name !== "lock") await this.#fs.unlink(this.#layout.inWriter(writerId, name));
    await unlinkQuietly(this.#fs, this.#layout.writerLock(writerId));
    await this.#fs.rmdir(directory);
    await this.#release(writerId);
    return names.length;
  }

  /** Gives back what was not removed. */
  async release(): Promise<void> {
    for (const writerId of this.ids) await this.#release(writerId);
  }

  async #release(writerId: string): Promise<void> {
    const lease = this.#leases.get(writerId);
    this.#leases.delete(writerId);
    // Where the directory is gone there is nothing to mark; the OS lock is free all the same.
    await lease?.release().catch(() => undefined);
  }
}

/** Unlinks a file that may not be there; true when it was. */
export async function unlinkQuietly(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    if (classify(error) === "not-found") return false;
    throw error;
  }
}
