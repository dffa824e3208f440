import fs from "node:fs";
import { promisify } from "node:util";
import { errnoError, isErrno } from "./errno.js";
import type { FileHandle, FileStat, FileSystem, OpenOptions } from "./file-system.js";
import { NodeFileHandle, toFileStat } from "./node-file-handle.js";

const openFd = promisify(fs.open) as (path: string, flags: number, mode: number) => Promise<number>;
const closeFd = promisify(fs.close);
const fsync = promisify(fs.fsync);
const lstat = promisify(fs.lstat) as (path: string) => Promise<fs.Stats>;
const readNames = promisify(fs.readdir) as (path: string) => Promise<string[]>;
const statfs = promisify(fs.statfs) as (path: string) => Promise<fs.StatsFs>;
const makeDirectory = promisify(fs.mkdir) as (path: string, mode: number) => Promise<void>;
const realPath = promisify(fs.realpath.native) as (path: string) => Promise<string>;

const isWindows = process.platform === "win32";
// Windows has no O_NOFOLLOW and no O_DSYNC. Apple's O_DSYNC stops at the drive's cache, while fdatasync there is
// F_FULLFSYNC in Node, so macOS takes the emulation as well.
const O_NOFOLLOW: number | undefined = fs.constants.O_NOFOLLOW;
// Opening a FIFO for reading would wait for a writer and hold a thread of the pool; files do not know the flag.
const O_NONBLOCK: number = fs.constants.O_NONBLOCK ?? 0;
const O_DSYNC: number | undefined = process.platform === "linux" ? fs.constants.O_DSYNC : undefined;

const accessFlags = {
  read: fs.constants.O_RDONLY | O_NONBLOCK,
  write: fs.constants.O_WRONLY,
  readWrite: fs.constants.O_RDWR,
} as const;

const createFlags = {
  never: 0,
  exclusive: fs.constants.O_CREAT | fs.constants.O_EXCL,
  ifMissing: fs.constants.O_CREAT,
} as const;

async function open(path: string, options: OpenOptions): Promise<FileHandle> {
  const dsync = options.dsync === true;
  let flags = accessFlags[options.access] | createFlags[options.create ?? "never"];
  if (dsync && O_DSYNC !== undefined) flags |= O_DSYNC;
  if (O_NOFOLLOW !== undefined) flags |= O_NOFOLLOW;
  else if ((await stat(path))?.kind === "symlink") throw errnoError("ELOOP", "open", path, "a symbolic link");
  const fd = await openFd(path, flags, options.mode ?? 0o600);
  const syncEachWrite = dsync && O_DSYNC === undefined;
  return new NodeFileHandle(fd, path, { syncEachWrite, blockingWrites: options.blockingWrites === true });
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    return toFileStat(await lstat(path));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (isWindows) return;
  const fd = await openFd(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, 0);
  try {
    await fsync(fd);
  } catch (error) {
    // Some network and FUSE file systems have no fsync of a directory; there is nothing more to be done there.
    if (!isErrno(error, "EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS")) throw error;
  } finally {
    await closeFd(fd);
  }
}

async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const s = await statfs(path);
    return s.bavail * s.bsize;
  } catch (error) {
    if (isErrno(error, "ENOSYS", "ENOTSUP", "EOPNOTSUPP")) return undefined;
    throw error;
  }
}

/**
 * The disk of this machine, through Node's `fs`. New files are 0600 and never follow a link in the last component.
 * `dsync` is O_DSYNC on Linux; elsewhere each write is followed by fdatasync (F_FULLFSYNC on macOS).
 */
export const nodeFileSystem: FileSystem = {
  open,
  stat,
  readdir: async (path) => (await readNames(path)).sort(),
  mkdir: (path, mode) => makeDirectory(path, mode),
  rename: promisify(fs.rename) as FileSystem["rename"],
  link: promisify(fs.link) as FileSystem["link"],
  unlink: promisify(fs.unlink) as FileSystem["unlink"],
  rmdir: promisify(fs.rmdir) as FileSystem["rmdir"],
  syncDirectory,
  realpath: (path) => realPath(path),
  freeBytes,
};
