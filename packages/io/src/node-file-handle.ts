import fs from "node:fs";
import { errnoError } from "./errno.js";
import type { FileHandle, FileStat } from "./file-system.js";
import { tryOsLock } from "./os-lock.js";

/** What one write call may carry: IOV_MAX buffers on Linux and macOS, and well under the kernel's 2 GiB. */
const MAX_BUFFERS = 1024;
const MAX_WRITE_BYTES = 1 << 30;

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

export function toFileStat(s: fs.Stats): FileStat {
  const kind = s.isFile() ? "file" : s.isDirectory() ? "directory" : s.isSymbolicLink() ? "symlink" : "other";
  return { kind, size: s.size, mode: s.mode & 0o7777, mtimeMs: s.mtimeMs, dev: s.dev, ino: s.ino };
}

/**
 * A file descriptor behind the callback `fs` calls (cheaper than `fs.promises`' FileHandle).
 *
 * A descriptor number is reused by the system as soon as it is closed, so a late write could land in another file:
 * calls after `close()` fail with EBADF here, and `close()` waits for the calls under way.
 */
export class NodeFileHandle implements FileHandle {
  readonly path: string;
  readonly #fd: number;
  readonly #syncEachWrite: boolean;
  readonly #blockingWrites: boolean;
  #busy = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(fd: number, path: string, how: { syncEachWrite: boolean; blockingWrites: boolean }) {
    this.#fd = fd;
    this.path = path;
    this.#syncEachWrite = how.syncEachWrite;
    this.#blockingWrites = how.blockingWrites;
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.#call<number>("read", (fd, done) => fs.read(fd, buffer, offset, length, position, done));
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const writing = this.#writeOnce(buffers, position);
    return this.#syncEachWrite ? this.#withSync(writing) : writing;
  }

  async #withSync(writing: Promise<number>): Promise<number> {
    const written = await writing;
    await this.datasync();
    return written;
  }

  truncate(length: number): Promise<void> {
    return this.#call<void>("ftruncate", (fd, done) => fs.ftruncate(fd, length, done as fs.NoParamCallback));
  }

  sync(): Promise<void> {
    return this.#call<void>("fsync", (fd, done) => fs.fsync(fd, done as fs.NoParamCallback));
  }

  datasync(): Promise<void> {
    return this.#call<void>("fdatasync", (fd, done) => fs.fdatasync(fd, done as fs.NoParamCallback));
  }

  async stat(): Promise<FileStat> {
    return toFileStat(await this.#call<fs.Stats>("fstat", (fd, done) => fs.fstat(fd, done)));
  }

  async tryLock(): Promise<"taken" | "busy" | "unsupported"> {
    if (this.#closing !== undefined) throw this.#closed("lock");
    this.#busy++;
    try {
      return await tryOsLock(this.#fd);
    } finally {
      this.#release();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeWhenIdle();
    return this.#closing;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await new Promise<void>((resolve, reject) => fs.close(this.#fd, (e) => (e ? reject(e) : resolve())));
  }

  #writeOnce(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const first = buffers[0];
    if (first === undefined) return Promise.resolve(0);
    if (buffers.length === 1) {
      const length = Math.min(first.length, MAX_WRITE_BYTES);
      if (this.#blockingWrites) return this.#blocking((fd) => fs.writeSync(fd, first, 0, length, position));
      return this.#call<number>("write", (fd, done) => fs.write(fd, first, 0, length, position, done));
    }
    const batch: Uint8Array[] = [];
    for (let i = 0, bytes = 0; i < buffers.length && i < MAX_BUFFERS; i++) {
      const buffer = buffers[i]!;
      bytes += buffer.length;
      if (bytes > MAX_WRITE_BYTES) break;
      batch.push(buffer);
    }
    if (batch.length === 0) return this.#writeOnce([first], position);
    if (this.#blockingWrites) return this.#blocking((fd) => fs.writevSync(fd, batch, position));
    return this.#call<number>("write", (fd, done) => fs.writev(fd, batch, position, done));
  }

  #call<T>(syscall: string, start: (fd: number, done: Done<T>) => void): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(this.#closed(syscall));
    this.#busy++;
    return new Promise<T>((resolve, reject) => {
      start(this.#fd, (error, value) => {
        this.#release();
        if (error) reject(error);
        else resolve(value);
      });
    });
  }

  /** The turn of the event loop is for everyone else: writes one after another would leave timers and signals no chance. */
  #blocking(write: (fd: number) => number): Promise<number> {
    return this.#call<number>("write", (fd, done) => {
      try {
        const written = write(fd);
        setImmediate(() => done(null, written));
      } catch (error) {
        setImmediate(() => done(error as NodeJS.ErrnoException, 0));
      }
    });
  }

  #release(): void {
    if (--this.#busy === 0) this.#idle?.();
  }

  #closed(syscall: string): NodeJS.ErrnoException {
    return errnoError("EBADF", syscall, this.path, "the file was closed");
  }
}
