/**
 * Replaces a file whole or not at all. Readers see the old bytes or the new ones, at every moment and after every crash.
 */
import { dirname, join } from "node:path";
import { CkptError } from "@ckpt/errors";
import { type AtomicData, DataSource } from "./atomic-data.js";
import { createChecksum } from "./checksum.js";
import type { WriteChunksOptions } from "./chunk-options.js";
import { isTransient, toCkptError } from "./classify.js";
import { ensureDirectory } from "./ensure-directory.js";
import { isErrno } from "./errno.js";
import { mayFallBack, type TriedPlace, withFallbacks } from "./fallback.js";
import type { FileHandle, FileSystem } from "./file-system.js";
import { linkExclusive } from "./link-exclusive.js";
import { nodeFileSystem } from "./node-file-system.js";
import { type RetryOptions, retryUnless } from "./retry.js";
import { tempName } from "./temp-name.js";
import { withHandle } from "./with-handle.js";
import { type WrittenChunks, writeChunks } from "./write-chunks.js";

/** Options of {@link writeAtomic}. */
export interface WriteAtomicOptions extends WriteChunksOptions {
  /** Mode of the file; default 0o600. Owner, ACL, hard links and other names of a file that is replaced do not carry over. */
  readonly mode?: number;
  /** How transient errors are tried again, each time with a fresh temporary file; `false`: not. Default: see {@link RetryOptions}. */
  readonly retry?: RetryOptions | false;
  /** Paths to write to, in order, when `path` fails. */
  readonly fallback?: readonly string[];
  /** Publish only if the name is free: `CKPT_CONFLICT` when it is taken. Default false. */
  readonly exclusive?: boolean;
}

/** What {@link writeAtomic} did. */
export interface WriteAtomicReport extends WrittenChunks {
  /** Where it was written. */
  readonly path: string;
  /** Paths that failed before. */
  readonly tried: readonly TriedPlace<string>[];
}

/**
 * Writes `data` to `path` atomically and durably: a temporary file in the same directory, sync, rename, sync of the
 * directory. Missing directories are created. A symbolic link at `path` is replaced, not followed.
 *
 * Throws `CKPT_NO_SPACE`, `CKPT_NO_PERMISSION`, `CKPT_CONFLICT` (exclusive), `CKPT_TIMEOUT`, `CKPT_ABORTED`, `CKPT_IO`,
 * with fallbacks `CKPT_ALL_FAILED`. `details.published` is true when the new bytes are in place but the sync of the
 * directory failed; `details.leftBehind` names a temporary file that could not be removed; `details.tempLost` is true when someone
 * removed it before it had its name, which is tried again like a transient error. Otherwise `path` is as it was.
 */
export async function writeAtomic(
  path: string,
  data: AtomicData,
  options: WriteAtomicOptions = {},
): Promise<WriteAtomicReport> {
  const source = new DataSource(data);
  if (options.checksum !== undefined) createChecksum(options.checksum); // an unknown kind leaves no trace
  const retry = options.retry ?? {};
  const isRetryable = (error: unknown) => {
    const { published, tempLost } = (error as Partial<CkptError>).details ?? {};
    if (source.isSpent || published === true) return false;
    if (tempLost === true) return true;
    return ((retry !== false && retry.isRetryable) || isTransient)(error);
  };
  const { value, place, tried } = await withFallbacks(
    [path, ...(options.fallback ?? [])],
    (target) =>
      retryUnless(
        retry === false ? false : { ...retry, isRetryable },
        `write ${target}`,
        options.signal,
        () => new AtomicWrite(target, source, options).run(),
      ),
    {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      shouldFallBack: (error) => mayFallBack(error) && !source.isSpent && error.details.published !== true,
    },
  );
  return { ...value, path: place, tried };
}

class AtomicWrite {
  readonly #path: string;
  readonly #temp: string;
  readonly #source: DataSource;
  readonly #options: WriteAtomicOptions;
  readonly #fs: FileSystem;
  #mayLeaveTemp = false;
  #isPublished = false;
  #isTempLost = false;

  constructor(path: string, source: DataSource, options: WriteAtomicOptions) {
    this.#path = path;
    this.#temp = join(dirname(path), tempName());
    this.#source = source;
    this.#options = options;
    this.#fs = options.fs ?? nodeFileSystem;
  }

  async run(): Promise<WrittenChunks> {
    try {
      const written = await this.#writeTemp();
      await this.#publish().catch((error: unknown) => {
        // The sweep of a process whose clock has jumped takes what is being written for left behind.
        this.#isTempLost = !this.#isPublished && isErrno(error, "ENOENT");
        throw error;
      });
      await this.#fs.syncDirectory(dirname(this.#path));
      return written;
    } catch (error) {
      throw await this.#failure(error);
    }
  }

  async #writeTemp(): Promise<WrittenChunks> {
    const { totalBytes } = this.#source;
    const options = totalBytes === undefined ? this.#options : { totalBytes, ...this.#options };
    // Closed before the rename: Windows does not rename an open file.
    return withHandle(await this.#open(), async (handle) => {
      const written = await writeChunks(handle, this.#source.open(), options);
      await handle.sync();
      return written;
    });
  }

  async #open(): Promise<FileHandle> {
    const options = { access: "write", create: "exclusive", mode: this.#options.mode ?? 0o600 } as const;
    this.#mayLeaveTemp = true; // even a failed open may have made it
    try {
      return await this.#fs.open(this.#temp, options);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
      await ensureDirectory(dirname(this.#path), { fs: this.#fs });
      return this.#fs.open(this.#temp, options);
    }
  }

  async #publish(): Promise<void> {
    if (this.#options.exclusive !== true) {
      await this.#fs.rename(this.#temp, this.#path);
      this.#isPublished = true;
      this.#mayLeaveTemp = false;
      return;
    }
    await linkExclusive(this.#fs, this.#temp, this.#path);
    this.#isPublished = true;
    await this.#fs.unlink(this.#temp).catch((error: unknown) => {
      if (!isErrno(error, "ENOENT")) throw error; // else swept, or a second answer to the same call
    });
    this.#mayLeaveTemp = false;
  }

  /** The error to throw, once the temporary file is removed: the first one, or one with what has to be known beside it. */
  async #failure(error: unknown): Promise<unknown> {
    const beside: Record<string, unknown> = {};
    if (this.#isPublished) beside.published = true;
    if (this.#isTempLost) beside.tempLost = true;
    if (this.#mayLeaveTemp) {
      await this.#fs.unlink(this.#temp).catch((cleanup: unknown) => {
        if (isErrno(cleanup, "ENOENT")) return;
        beside.leftBehind = this.#temp;
        beside.cleanup = cleanup instanceof Error ? cleanup.message : String(cleanup);
      });
    }
    if (Object.keys(beside).length === 0) return error;
    const { code, message, hint, details } = toCkptError(error, { doing: "write", path: this.#path });
    const advice = this.#isTempLost ? "Look at what removes files from this directory." : hint;
    const withHint = advice === undefined ? {} : { hint: advice };
    return new CkptError(code, { message, ...withHint, cause: error, details: { ...details, ...beside } });
  }
}
