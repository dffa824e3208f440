import { errnoError, type FileHandle, type FileSystem, nodeFileSystem } from "@ckpt/io";

export type Operation =
  | keyof FileSystem
  | "read"
  | "write"
  | "fstat"
  | "truncate"
  | "sync"
  | "datasync"
  | "close";

/** What a call does: nothing (undefined) lets it through; an errno fails it; a number makes a write or read that short. */
export type Rule = (operation: Operation, path: string, index: number) => string | number | undefined;

/** The real file system with a rule in front of every call; keeps a list of what was called. */
export class FailingFs {
  readonly calls: { operation: Operation; path: string }[] = [];
  rule: Rule;
  readonly fs: FileSystem;

  constructor(rule: Rule = () => undefined, below: FileSystem = nodeFileSystem) {
    this.rule = rule;
    const gate = (operation: Operation, path: string) => this.#gate(operation, path);
    const pathCall =
      <A extends unknown[], R>(operation: Operation, call: (path: string, ...rest: A) => Promise<R>) =>
      async (path: string, ...rest: A): Promise<R> => {
        gate(operation, path);
        return call(path, ...rest);
      };
    this.fs = {
      open: async (path, options) => {
        gate("open", path);
        return this.#wrap(await below.open(path, options));
      },
      stat: pathCall("stat", (path) => below.stat(path)),
      readdir: pathCall("readdir", (path) => below.readdir(path)),
      mkdir: pathCall("mkdir", (path, mode: number) => below.mkdir(path, mode)),
      rename: pathCall("rename", (from, to: string) => below.rename(from, to)),
      link: pathCall("link", (from, to: string) => below.link(from, to)),
      unlink: pathCall("unlink", (path) => below.unlink(path)),
      rmdir: pathCall("rmdir", (path) => below.rmdir(path)),
      syncDirectory: pathCall("syncDirectory", (path) => below.syncDirectory(path)),
      realpath: pathCall("realpath", (path) => below.realpath(path)),
      freeBytes: pathCall("freeBytes", (path) => below.freeBytes(path)),
    };
  }

  count(operation: Operation): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  #gate(operation: Operation, path: string): number | undefined {
    const verdict = this.rule(operation, path, this.calls.length);
    this.calls.push({ operation, path });
    if (typeof verdict === "string") throw errnoError(verdict, operation, path, "made to fail");
    return verdict;
  }

  #wrap(handle: FileHandle): FileHandle {
    const { path } = handle;
    const passing = async (operation: Operation, call: () => Promise<void>) => {
      this.#gate(operation, path);
      await call();
    };
    return {
      path,
      read: async (buffer, offset, length, position) => {
        const most = this.#gate("read", path) ?? length;
        return handle.read(buffer, offset, Math.min(length, most), position);
      },
      write: async (buffers, position) => {
        const most = this.#gate("write", path);
        if (most === undefined) return handle.write(buffers, position);
        if (most === 0) return 0;
        return handle.write([Buffer.concat(buffers).subarray(0, most)], position);
      },
      truncate: (length) => passing("truncate", () => handle.truncate(length)),
      sync: () => passing("sync", () => handle.sync()),
      datasync: () => passing("datasync", () => handle.datasync()),
      stat: async () => {
        this.#gate("fstat", path);
        return handle.stat();
      },
      tryLock: () => handle.tryLock(),
      // The descriptor is closed whatever the answer: a test must not leak it.
      close: async () => {
        await handle.close();
        this.#gate("close", path);
      },
    };
  }
}
