import { setTimeout as sleep } from "node:timers/promises";
import type { FileHandle, FileSystem } from "@ckpt/io";

/**
 * Another file system on a slower disk: `sync`, `datasync`, `syncDirectory` and O_DSYNC writes take `delayMs` milliseconds more. For
 * benchmarks on machines whose disk answers a sync without doing it.
 */
export function slowSync(fileSystem: FileSystem, delayMs: number): FileSystem {
  const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = await work();
    await sleep(delayMs);
    return result;
  };
  const slowHandle = (handle: FileHandle, dsync: boolean): FileHandle => ({
    path: handle.path,
    read: (...given) => handle.read(...given),
    write: (...given) => (dsync ? slowly(() => handle.write(...given)) : handle.write(...given)),
    truncate: (length) => handle.truncate(length),
    sync: () => slowly(() => handle.sync()),
    datasync: () => slowly(() => handle.datasync()),
    stat: () => handle.stat(),
    tryLock: () => handle.tryLock(),
    close: () => handle.close(),
  });
  return {
    open: async (path, options) => slowHandle(await fileSystem.open(path, options), options.dsync === true),
    stat: (path) => fileSystem.stat(path),
    readdir: (path) => fileSystem.readdir(path),
    mkdir: (path, mode) => fileSystem.mkdir(path, mode),
    rename: (from, to) => fileSystem.rename(from, to),
    link: (from, to) => fileSystem.link(from, to),
    unlink: (path) => fileSystem.unlink(path),
    rmdir: (path) => fileSystem.rmdir(path),
    syncDirectory: (path) => slowly(() => fileSystem.syncDirectory(path)),
    realpath: (path) => fileSystem.realpath(path),
    freeBytes: (path) => fileSystem.freeBytes(path),
  };
}
