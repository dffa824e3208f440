import type { FileSystem } from "@ckpt/io";

/** The methods of a file system that is an object of a class, to be spread into another one. */
export function boundTo(fs: FileSystem): FileSystem {
  return {
    open: (path, options) => fs.open(path, options),
    stat: (path) => fs.stat(path),
    readdir: (path) => fs.readdir(path),
    mkdir: (path, mode) => fs.mkdir(path, mode),
    rename: (from, to) => fs.rename(from, to),
    link: (from, to) => fs.link(from, to),
    unlink: (path) => fs.unlink(path),
    rmdir: (path) => fs.rmdir(path),
    syncDirectory: (path) => fs.syncDirectory(path),
    realpath: (path) => fs.realpath(path),
    freeBytes: (path) => fs.freeBytes(path),
  };
}
