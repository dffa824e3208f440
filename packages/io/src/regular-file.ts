import { CkptError } from "@ckpt/errors";
import type { FileHandle, FileStat } from "./file-system.js";

/**
 * Facts about an open file whose size is to be relied on. Throws the file system's errors, and `CKPT_UNSUPPORTED` where it is
 * no regular file: a FIFO or a device says that it has 0 bytes, and would pass for empty.
 */
export async function statRegular(handle: FileHandle): Promise<FileStat> {
  const found = await handle.stat();
  if (found.kind !== "file") throw notRegular(handle.path, found.kind);
  return found;
}

export function notRegular(path: string, kind: FileStat["kind"]): CkptError {
  return new CkptError("CKPT_UNSUPPORTED", {
    message: `${path} is not a regular file, but ${names[kind]}`,
    hint: "Pass the path of a regular file; links are not followed.",
    details: { path, kind },
  });
}

const names: Readonly<Record<FileStat["kind"], string>> = {
  file: "a file",
  directory: "a directory",
  symlink: "a symbolic link",
  other: "a FIFO, socket or device",
};
