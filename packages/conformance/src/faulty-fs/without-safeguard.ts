import type { FileHandle, FileSystem } from "@ckpt/io";

/**
 * Something that a careful program relies on, and that can be taken out to see whether a test notices:
 *
 * - `sync`: fsync and fdatasync do nothing
 * - `dsync`: files are opened without O_DSYNC
 * - `syncDirectory`: fsync of a directory does nothing
 * - `exclusive`: a file that must not exist may exist
 * - `link`: the exclusive publish replaces what is there
 * - `lock`: a lock that someone holds is given out again
 */
export type Safeguard = "sync" | "dsync" | "syncDirectory" | "exclusive" | "link" | "lock";

/**
 * Another file system with one safeguard taken out, everywhere or for the paths that `only` picks. A harness that
 * still finds nothing wrong does not test that safeguard, or another one covers it.
 */
export function withoutSafeguard(
  fileSystem: FileSystem,
  safeguard: Safeguard,
  only: (path: string) => boolean = () => true,
): FileSystem {
  const nothing = async () => {};
  let linked = 0;
  const careless = (handle: FileHandle): FileHandle => {
    if (safeguard !== "sync" && safeguard !== "lock") return handle;
    return {
      path: handle.path,
      read: (...given) => handle.read(...given),
      write: (...given) => handle.write(...given),
      truncate: (length) => handle.truncate(length),
      sync: safeguard === "sync" ? nothing : () => handle.sync(),
      datasync: safeguard === "sync" ? nothing : () => handle.datasync(),
      stat: () => handle.stat(),
      tryLock: async () => {
        const answer = await handle.tryLock();
        return safeguard === "lock" && answer === "busy" ? "taken" : answer;
      },
      close: () => handle.close(),
    };
  };
  return {
    open: async (path, options) => {
      if (!only(path)) return fileSystem.open(path, options);
      if (safeguard === "dsync") return fileSystem.open(path, { ...options, dsync: false });
      const weaker = safeguard === "exclusive" && options.create === "exclusive";
      return careless(await fileSystem.open(path, weaker ? { ...options, create: "ifMissing" } : options));
    },
    stat: (path) => fileSystem.stat(path),
    readdir: (path) => fileSystem.readdir(path),
    mkdir: (path, mode) => fileSystem.mkdir(path, mode),
    rename: (from, to) => fileSystem.rename(from, to),
    link: async (from, to) => {
      if (safeguard !== "link" || !only(to)) return fileSystem.link(from, to);
      const aside = `${to}.${++linked}`;
      await fileSystem.link(from, aside);
      await fileSystem.rename(aside, to);
    },
    unlink: (path) => fileSystem.unlink(path),
    rmdir: (path) => fileSystem.rmdir(path),
    syncDirectory: (path) =>
      safeguard === "syncDirectory" && only(path) ? nothing() : fileSystem.syncDirectory(path),
    realpath: (path) => fileSystem.realpath(path),
    freeBytes: (path) => fileSystem.freeBytes(path),
  };
}
