import { CkptError } from "@ckpt/errors";
import { toCkptError } from "./classify.js";
import { ensureDirectory } from "./ensure-directory.js";
import type { FileHandle, FileSystem } from "./file-system.js";
import { LeaseDirectory } from "./lease-directory.js";
import { type LeaseHolder, MAX_SUBJECT_LENGTH, MAX_WRITER_LENGTH } from "./lease-record.js";
import { lockedError } from "./locked-error.js";
import { nodeFileSystem } from "./node-file-system.js";
import { processIdentity } from "./process-identity.js";
import { proveDeath } from "./prove-death.js";

/** Options of {@link acquireLease}. */
export interface LeaseOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /** Who asks within this process; at most 256 characters, shown to those who find it held. */
  readonly writer?: string;
  /** What the lease is for; at most 2,048 characters, shown likewise. */
  readonly subject?: string;
}

/** An exclusive right, and its fencing token. */
export interface Lease {
  /** Higher than that of every holder before; never given twice. */
  readonly epoch: number;
  readonly holder: LeaseHolder;
  /** Throws `CKPT_FENCED` when someone else has a higher epoch: this holder must not write any more. */
  verify(): Promise<void>;
  /** Gives it back, durably. Idempotent. When it throws, it can be called again, and the OS lock is free all the same. */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How often the claim is looked at anew when others come and go at the same time. */
const MAX_ROUNDS = 16;

/**
 * Takes the lease kept in `directory` (created where missing), without waiting.
 *
 * Its holder has it until it releases it or dies: there is no time-out, and a paused process keeps it. Dead is proven
 * by the OS lock (optional package `fs-native-extensions`) being free, else by {@link proveDeath}. Processes with and
 * without OS locks may share a directory. The directory must be on a local file system with hard links.
 *
 * Throws `CKPT_LOCKED` (`details.holder`: pid, host, since, writer, epoch) when another has it or cannot be proven dead,
 * `CKPT_UNSUPPORTED` where there are no hard links, `CKPT_LIMIT` at the last possible epoch, and the codes of file errors.
 * Durable when it resolves. Epochs as fencing tokens after Kleppmann, "How to do distributed locking" (2016).
 */
export async function acquireLease(directory: string, options: LeaseOptions = {}): Promise<Lease> {
  const fs = options.fs ?? nodeFileSystem;
  limit("writer", options.writer, MAX_WRITER_LENGTH);
  limit("subject", options.subject, MAX_SUBJECT_LENGTH);
  const leases = new LeaseDirectory(directory, fs);
  await ensureDirectory(directory, { fs });
  let lock: OsLock | undefined;
  try {
    lock = await takeOsLock(leases, fs);
    return await claim(leases, lock, options);
  } catch (error) {
    // Whatever went wrong before, the lock must not stay with a process that has no lease.
    await lock?.handle.close().catch(() => undefined);
    throw toCkptError(error, { doing: "acquire the lease in", path: directory });
  }
}

interface OsLock {
  readonly handle: FileHandle;
  /** The inode: cannot be reused while its holder has it open, so it tells a lock file that was replaced. */
  readonly id: string;
}

/** The OS lock, or undefined where there are none. Throws `CKPT_LOCKED` when someone has it. */
async function takeOsLock(leases: LeaseDirectory, fs: FileSystem): Promise<OsLock | undefined> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const handle = await fs.open(leases.lockPath, { access: "readWrite", create: "ifMissing" });
    try {
      const answer = await handle.tryLock();
      if (answer === "busy") throw await busyError(leases);
      if (answer === "taken") {
        const id = String((await handle.stat()).ino);
        const there = await fs.stat(leases.lockPath);
        if (there !== undefined && String(there.ino) === id) return { handle, id };
      }
      await handle.close();
      if (answer === "unsupported") return undefined;
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  }
  throw lockedError(leases.path, undefined, "its lock file is being replaced again and again");
}

async function busyError(leases: LeaseDirectory): Promise<CkptError> {
  const { highest, isReleased } = await leases.list();
  const read = highest === 0 || isReleased ? undefined : await leases.read(highest);
  let holder = read === "gone" ? undefined : read;
  // Who has the lock may not have published its lease yet: the one before it must not be named as the holder.
  if (holder !== undefined && (await proveDeath(holder)).state === "dead") holder = undefined;
  return lockedError(leases.path, holder, "it holds the system's lock", null);
}

async function claim(
  leases: LeaseDirectory,
  lock: OsLock | undefined,
  options: LeaseOptions,
): Promise<Lease> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { highest, isReleased } = await leases.list();
    if (highest > 0 && !isReleased && !(await isFree(leases, highest, lock))) continue;
    const epoch = highest + 1;
    if (!Number.isSafeInteger(epoch) || epoch > 9_000_000_000_000_000) throw epochLimit(leases.path);
    const holder = await describe(epoch, lock, options);
    if (!(await leases.publish(holder))) continue;
    try {
      if (await confirm(leases, epoch)) return new HeldLease(leases, lock, holder);
    } catch (error) {
      // We live on, so nobody could prove us dead. Should the mark fail too, the OS lock tells, or the end of this process.
      await leases.markReleased(epoch).catch(() => undefined);
      throw error;
    }
  }
  throw lockedError(leases.path, undefined, "others take and give it back all the time");
}

/** Whether a lease that was just published counts; makes it durable. */
async function confirm(leases: LeaseDirectory, epoch: number): Promise<boolean> {
  // Someone may have come and gone between our listing and our link, and removed the epoch that we took as free.
  const { highest, names } = await leases.list();
  if (highest !== epoch || !names.includes(`${epoch}.lease`)) {
    await leases.withdraw(epoch);
    return false;
  }
  await leases.sync();
  await leases.clean(epoch);
  return true;
}

/** Whether the holder of `epoch` is gone for certain. Throws `CKPT_LOCKED` when not; false when the file went meanwhile. */
async function isFree(leases: LeaseDirectory, epoch: number, lock: OsLock | undefined): Promise<boolean> {
  const holder = await leases.read(epoch);
  if (holder === "gone") return false;
  if (holder === undefined) throw lockedError(leases.path, undefined, `${epoch}.lease cannot be read`, epoch);
  if (lock !== undefined && holder.osLock === lock.id) return true;
  const verdict = await proveDeath(holder);
  if (verdict.state !== "dead") throw lockedError(leases.path, holder, verdict.because);
  return true;
}

async function describe(
  epoch: number,
  lock: OsLock | undefined,
  options: LeaseOptions,
): Promise<LeaseHolder> {
  return {
    ...(await processIdentity()),
    epoch,
    writer: options.writer,
    subject: options.subject,
    since: new Date().toISOString(),
    osLock: lock?.id,
  };
}

class HeldLease implements Lease {
  readonly epoch: number;
  readonly holder: LeaseHolder;
  readonly #leases: LeaseDirectory;
  readonly #lock: OsLock | undefined;
  #releasing: Promise<void> | undefined;

  constructor(leases: LeaseDirectory, lock: OsLock | undefined, holder: LeaseHolder) {
    this.#leases = leases;
    this.#lock = lock;
    this.holder = holder;
    this.epoch = holder.epoch;
  }

  async verify(): Promise<void> {
    const { highest, isReleased } = await this.#leases.list();
    if (highest === this.epoch && !isReleased) return;
    throw new CkptError("CKPT_FENCED", {
      message: `The lease in ${this.#leases.path} was lost: epoch ${highest} is the newest, this holder has ${this.epoch}`,
      hint: "Stop writing, and acquire it again.",
      details: { path: this.#leases.path, epoch: this.epoch, highest, isReleased },
    });
  }

  release(): Promise<void> {
    this.#releasing ??= this.#release().catch((error: unknown) => {
      this.#releasing = undefined;
      throw toCkptError(error, { doing: "release the lease in", path: this.#leases.path });
    });
    return this.#releasing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #release(): Promise<void> {
    try {
      // First the mark, then the lock: who gets the lock finds the lease given back.
      await this.#leases.markReleased(this.epoch);
    } finally {
      await this.#lock?.handle.close();
    }
  }
}

function limit(name: string, value: string | undefined, most: number): void {
  if (value === undefined || value.length <= most) return;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `The option ${name} of a lease has ${value.length} characters, the limit is ${most}`,
    hint: "Pass a shorter one.",
    details: { argument: name },
  });
}

function epochLimit(path: string): CkptError {
  return new CkptError("CKPT_LIMIT", {
    message: `The leases in ${path} have reached the last possible epoch`,
    hint: "A file there has a made-up number; look at the names of the .lease files.",
    details: { path },
  });
}
