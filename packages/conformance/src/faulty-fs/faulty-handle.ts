import type { FileHandle, FileStat, OpenOptions } from "@ckpt/io";
import type { DirectoryNode } from "./directory-node.js";
import { errnoError } from "./errno.js";
import type { FaultyProcess } from "./faulty-process.js";
import type { FileNode } from "./file-node.js";
import { statOf } from "./stat-of.js";

/** An open file of a simulated process. */
export class FaultyHandle implements FileHandle {
  readonly path: string;
  readonly #process: FaultyProcess;
  readonly #node: FileNode | DirectoryNode;
  readonly #access: OpenOptions["access"];
  readonly #dsync: boolean;
  readonly #forget: () => void;
  #closed = false;
  #released = false;

  constructor(process: FaultyProcess, path: string, node: FileNode | DirectoryNode, options: OpenOptions) {
    this.#process = process;
    this.path = path;
    this.#node = node;
    this.#access = options.access;
    this.#dsync = options.dsync === true;
    if (node.kind === "file") node.opens++;
    this.#forget = process.opened(() => this.#release());
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.#operate("read", () => {
      if (length === 0) return 0; // Node answers this itself
      if (this.#access === "write") throw this.#error("EBADF", "read");
      if (this.#node.kind === "directory") throw this.#error("EISDIR", "read");
      const bytes = this.#node.live.view(position, position + Math.min(length, buffer.length - offset));
      buffer.set(bytes, offset);
      return bytes.length;
    });
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    if (buffers.length === 0) return Promise.resolve(0);
    // What a write takes is fixed when it is called, as the bytes of a system call are.
    const bytes = Buffer.concat(buffers);
    if (!this.#dsync) return this.#operate("write", () => this.#take(bytes, position).taken);
    const attempt = { promises: true, onClean: () => this.#take(bytes, position).file.forgetPending() };
    return this.#operate(
      "write",
      (operation) => {
        const { taken, file, change } = this.#take(bytes, position);
        if (change === undefined) return taken;
        this.#process.observer?.(operation, "midway");
        file.flushWrite(change);
        return taken;
      },
      attempt,
    );
  }

  truncate(length: number): Promise<void> {
    return this.#operate("truncate", () => {
      const file = this.#writable("EINVAL", "ftruncate");
      const growth = Math.max(0, length - file.live.length);
      if (this.#process.disk.room(growth) < growth) throw this.#error("ENOSPC", "ftruncate");
      this.#process.disk.usedBytes += length - file.live.length;
      file.truncate(length);
      file.mtimeMs = this.#process.disk.tick();
    });
  }

  sync(): Promise<void> {
    return this.#sync("sync");
  }

  datasync(): Promise<void> {
    return this.#sync("datasync");
  }

  stat(): Promise<FileStat> {
    return this.#operate("fstat", () => statOf(this.#node));
  }

  tryLock(): Promise<"taken" | "busy" | "unsupported"> {
    return this.#operate("tryLock", () => {
      if (!this.#process.locks) return "unsupported";
      const file = this.#writable("EBADF", "lock");
      const { locks } = this.#process.disk;
      const holder = locks.get(file);
      if (holder !== undefined && holder !== this) return "busy";
      locks.set(file, this);
      return "taken";
    });
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    // The descriptor is gone whatever close() reports, as on Linux.
    const close = () => this.#release();
    return this.#process.operate("close", this.path, close).catch((error: unknown) => {
      close();
      throw error;
    });
  }

  #sync(kind: "sync" | "datasync"): Promise<void> {
    const node = this.#node;
    return this.#operate(kind, () => node.flush(), {
      promises: true,
      onClean: () => node.kind === "file" && node.forgetPending(),
    });
  }

  /** Writes as much as the fault plan and the space on the disk let it. */
  #take(bytes: Uint8Array, position: number) {
    const file = this.#writable("EBADF", "write");
    const { disk, faults } = this.#process;
    if (bytes.length === 0) return { taken: 0, file, change: undefined };
    const wanted = faults.bytesTaken(bytes.length);
    const size = file.live.length;
    const growth = Math.max(0, position + wanted - size);
    const taken = wanted - (growth - disk.room(growth));
    if (taken <= 0) throw this.#error("ENOSPC", "write");
    const change = file.write(position, bytes.subarray(0, taken));
    disk.usedBytes += file.live.length - size;
    file.mtimeMs = disk.tick();
    return { taken, file, change };
  }

  #operate<T>(...[kind, effect, sync]: OperateArguments<T>): Promise<T> {
    if (this.#closed) return Promise.reject(this.#error("EBADF", kind));
    return this.#process.operate(kind, this.path, effect, sync);
  }

  #writable(errno: string, syscall: string): FileNode {
    if (this.#access === "read" || this.#node.kind !== "file") throw this.#error(errno, syscall);
    return this.#node;
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#forget();
    const node = this.#node;
    if (node.kind !== "file") return;
    const { disk } = this.#process;
    if (disk.locks.get(node) === this) disk.locks.delete(node);
    node.opens--;
    disk.releaseIfGone(node);
  }

  #error(errno: string, syscall: string): NodeJS.ErrnoException {
    return errnoError(errno, syscall, this.path);
  }
}

type Operate<T> = Parameters<typeof FaultyProcess.prototype.operate<T>>;
type OperateArguments<T> = [kind: Operate<T>[0], effect: Operate<T>[2], sync?: Operate<T>[3]];
