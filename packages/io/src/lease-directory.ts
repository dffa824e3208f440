/**
 * The files of a lease: `lock` (the OS lock), `<epoch>.lease` (who holds that epoch), `<epoch>.released` (given back).
 *
 * What must hold: the highest `<epoch>.lease` is never removed, so epochs only rise. A lease file appears whole (written
 * and synced under a temporary name, then linked exclusively) and never changes.
 */
import { join } from "node:path";
import { CkptError, isCkptError } from "@ckpt/errors";
import { isErrno } from "./errno.js";
import type { FileSystem } from "./file-system.js";
import { encodeLease, type LeaseHolder, MAX_LEASE_BYTES, parseLease } from "./lease-record.js";
import { linkExclusive } from "./link-exclusive.js";
import { readSmallFile, writeNewFile } from "./small-file.js";
import { isTempName, tempName } from "./temp-name.js";

/** What a listing shows. */
export interface LeaseListing {
  /** 0 when there was never a lease. */
  readonly highest: number;
  readonly isReleased: boolean;
  readonly names: readonly string[];
}

const shape = /^([1-9][0-9]{0,15})\.(lease|released)$/;

/**
 * How many epochs below its own a new holder leaves in place. A listing that runs while leases change hands may miss
 * entries that come or go meanwhile; with some left standing it cannot miss all that are above a late claim.
 */
const KEPT_EPOCHS = 4;

export class LeaseDirectory {
  readonly path: string;
  readonly #fs: FileSystem;

  constructor(path: string, fs: FileSystem) {
    this.path = path;
    this.#fs = fs;
  }

  get lockPath(): string {
    return join(this.path, "lock");
  }

  leasePath(epoch: number): string {
    return join(this.path, `${epoch}.lease`);
  }

  async list(): Promise<LeaseListing> {
    const names = await this.#fs.readdir(this.path);
    const highest = names.reduce((most, name) => Math.max(most, epochOf(name, "lease") ?? 0), 0);
    return { highest, isReleased: names.includes(`${highest}.released`), names };
  }

  /** Who holds `epoch`; undefined when the file makes no sense; `"gone"` when it was removed meanwhile. */
  async read(epoch: number): Promise<LeaseHolder | undefined | "gone"> {
    try {
      return parseLease(await readSmallFile(this.leasePath(epoch), MAX_LEASE_BYTES, this.#fs), epoch);
    } catch (error) {
      if (isErrno(error, "ENOENT")) return "gone";
      if (isCkptError(error, "CKPT_LIMIT") || isCkptError(error, "CKPT_UNSUPPORTED")) return undefined;
      throw error;
    }
  }

  /** Publishes a lease; false when its epoch is taken, or the temporary file was swept away by a new holder. */
  async publish(holder: LeaseHolder): Promise<boolean> {
    const temp = join(this.path, tempName());
    try {
      await writeNewFile(temp, encodeLease(holder), this.#fs);
      await linkExclusive(this.#fs, temp, this.leasePath(holder.epoch));
    } catch (error) {
      await this.#removeQuietly(temp);
      if (isErrno(error, "EEXIST", "ENOENT")) return false;
      if (isErrno(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"))
        throw noLinks(this.path, error);
      throw error;
    }
    await this.#removeQuietly(temp);
    return true;
  }

  /** Makes what was linked durable. */
  sync(): Promise<void> {
    return this.#fs.syncDirectory(this.path);
  }

  withdraw(epoch: number): Promise<void> {
    return this.#removeQuietly(this.leasePath(epoch));
  }

  /** Marks an epoch as given back, durably. */
  async markReleased(epoch: number): Promise<void> {
    try {
      await linkExclusive(this.#fs, this.leasePath(epoch), join(this.path, `${epoch}.released`));
    } catch (error) {
      // ENOENT: a newer holder took over and cleaned up, or all was removed: there is nothing to give back.
      if (isErrno(error, "ENOENT")) return;
      if (!isErrno(error, "EEXIST")) throw error; // else a release before this one got as far
    }
    await this.sync();
  }

  /** Removes what the holder of `epoch` has no need of: old epochs, and temporary files of those who crashed. */
  async clean(epoch: number): Promise<void> {
    const { names } = await this.list();
    for (const name of names) {
      const old = epochOf(name, "lease") ?? epochOf(name, "released") ?? epoch;
      if (old < epoch - KEPT_EPOCHS || isTempName(name)) await this.#removeQuietly(join(this.path, name));
    }
  }

  /** What is left over is removed by the next holder; that it is there breaks nothing. */
  async #removeQuietly(path: string): Promise<void> {
    await this.#fs.unlink(path).catch(() => undefined);
  }
}

function epochOf(name: string, kind: "lease" | "released"): number | undefined {
  const match = shape.exec(name);
  const epoch = Number(match?.[1]);
  return match?.[2] === kind && Number.isSafeInteger(epoch) ? epoch : undefined;
}

function noLinks(path: string, cause: unknown): CkptError {
  return new CkptError("CKPT_UNSUPPORTED", {
    message: `The file system of ${path} has no hard links, by which leases are published`,
    hint: "Use a directory on a local file system such as ext4, xfs, btrfs, APFS or NTFS.",
    cause,
    details: { path },
  });
}
