/**
 * Writers whose process is gone, proven by holding their lease. Only maintenance takes such leases, under its own; what such a
 * writer left may be touched while they are held.
 */
import { isCkptError } from "@ckpt/errors";
import { acquireLease, classify, type FileSystem, type Lease } from "@ckpt/io";
import { readHeads, writeHeads } from "./heads.js";
import { isDerivedFile, isLeaseFile, isWriterFile, parseSegmentFile, type StoreLayout } from "./layout.js";
import { isUnsafePath } from "./unsafe-path.js";

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
    const directory = this.#layout.writer(writerId);
    try {
      const fs = this.#fs;
      if ((await fs.stat(directory))?.kind !== "directory") return false;
      const lease = await acquireLease(directory, { fs, writer: "maintenance", subject: writerId });
      this.#leases.set(writerId, lease);
      return true;
    } catch (error) {
      // Held, or of a machine that cannot be asked: it may write any moment. So may who holds what stands in place of a lease.
      if (isCkptError(error, "CKPT_LOCKED") || isUnsafePath(error)) return false;
      throw error;
    }
  }

  /**
   * Removes what the store has left in a writer's directory, its heads, and the directory, unless something else is in it. Does nothing while
   * a segment is there. Resolves to the number of files removed.
   */
  async remove(writerId: string): Promise<number> {
    const directory = this.#layout.writer(writerId);
    const names = await this.#fs.readdir(directory);
    if (names.some((name) => parseSegmentFile(name)?.kind === "seg")) return 0;
    await this.#removeHeads(writerId);
    let removed = 0;
    let others = names.filter((name) => !isWriterFile(name)).length;
    for (const name of names.filter(isDerivedFile)) {
      const file = this.#layout.inWriter(writerId, name);
      if (await unlinkQuietly(this.#fs, file)) removed++;
      else if ((await this.#fs.stat(file)) !== undefined) others++;
    }
    // What someone else keeps there is left alone. The lease stays with it, and says that the writer has ended.
    if (others > 0) return removed;
    const leases = names.filter(isLeaseFile);
    // The lock goes last: until then nobody else can think that it is free.
    for (const name of [...leases.filter((name) => name !== "lock"), "lock"])
      if (await unlinkQuietly(this.#fs, this.#layout.inWriter(writerId, name))) removed++;
    try {
      await this.#fs.rmdir(directory);
    } catch (error) {
      // Something came meanwhile: the next compaction looks at it again.
      if (classify(error) !== "exists") throw error;
    }
    await this.#release(writerId);
    return removed;
  }

  /** What a head says of sequences that are lost outlives the writer: they are not given out again. */
  async #removeHeads(writerId: string): Promise<void> {
    const heads = await readHeads(this.#fs, this.#layout, writerId);
    const lost = typeof heads === "string" ? [] : heads.filter(({ isLost }) => isLost);
    if (lost.length === 0) await unlinkQuietly(this.#fs, this.#layout.headsFile(writerId));
    else await writeHeads(this.#fs, this.#layout, writerId, lost);
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

/** Unlinks a file that may not be there; true when it was. A directory in its place is not the store's, and stays. */
export async function unlinkQuietly(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    if (classify(error) === "not-found") return false;
    // Systems answer differently (EISDIR, EPERM).
    if ((await fs.stat(path).catch(() => undefined))?.kind === "directory") return false;
    throw error;
  }
}
