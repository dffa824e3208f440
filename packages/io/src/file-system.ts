/**
 * The few things that resilient IO needs from a disk. Everything in this package, and the disk store above it, goes
 * through this interface, so that a test can put a disk below it that tears, forgets and fails.
 *
 * Errors are the platform's own: an `Error` with `code` = errno name (`ENOENT`, `EEXIST`, `ENOSPC`, ...).
 */
export interface FileSystem {
  /** Opens a file. Symbolic links are never followed in the last component (`ELOOP`). */
  open(path: string, options: OpenOptions): Promise<FileHandle>;
  /** Facts about `path` itself (a link is reported as a link), or undefined where there is nothing. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Names in a directory, sorted. `ENOENT` where there is none. */
  readdir(path: string): Promise<string[]>;
  /** Creates one directory level with `mode`; `EEXIST` when something is there. */
  mkdir(path: string, mode: number): Promise<void>;
  /** Replaces `to` atomically. Durable only after `syncDirectory` of the parent. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; `EEXIST` when `to` is taken: the exclusive publish. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** Makes the entries of a directory durable (fsync of the directory; a no-op where the platform has none). */
  syncDirectory(path: string): Promise<void>;
  /** The path without links, or `ENOENT`. */
  realpath(path: string): Promise<string>;
  /** What the disk has left for this user, or undefined where unknown. */
  freeBytes(path: string): Promise<number | undefined>;
}

export interface OpenOptions {
  readonly access: "read" | "write" | "readWrite";
  /** `never` (default): the file must exist. `exclusive`: it must not (`EEXIST`). `ifMissing`: either. */
  readonly create?: "never" | "exclusive" | "ifMissing";
  /** Mode of a created file; default 0o600. */
  readonly mode?: number;
  /** Every write returns only once its data are on the disk (O_DSYNC); emulated by write + fdatasync where absent. */
  readonly dsync?: boolean;
  /**
   * Writes run on the calling thread, which waits for the disk, instead of a thread of the pool: a write takes less time, and
   * nothing else runs meanwhile. A turn of the event loop follows each. A file system may pay no heed to it. Default false.
   */
  readonly blockingWrites?: boolean;
}

export interface FileHandle {
  readonly path: string;
  /** Reads up to `length` bytes into `buffer` at `offset`, from `position`. Resolves to the number read; 0 at the end. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /**
   * Writes the buffers one after another at `position`. Resolves to the bytes written, which may be fewer than given.
   * The buffers belong to the caller again once it settles: who needs the bytes longer copies them.
   */
  write(buffers: readonly Uint8Array[], position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  /** fsync: data and metadata. After a failure the file's unsynced data are in an unknown state: do not retry on it. */
  sync(): Promise<void>;
  /** fdatasync: data, and the metadata that reading them needs. Same rule after a failure. */
  datasync(): Promise<void>;
  stat(): Promise<FileStat>;
  /**
   * Takes an exclusive lock on the open file that the system frees when the handle closes or the process dies.
   * `"taken"`: held by this handle now. `"busy"`: someone else has it. `"unsupported"`: this platform or install has no such locks.
   */
  tryLock(): Promise<"taken" | "busy" | "unsupported">;
  close(): Promise<void>;
}

export interface FileStat {
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly size: number;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly dev: number;
  readonly ino: number;
}
