import { join } from "node:path";
import { toCkptError } from "./classify.js";
import type { FileSystem } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";

/** Options of {@link removeTree}. */
export interface RemoveTreeOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
}

/**
 * Removes a file, or a directory with all that is in it; nothing there is fine. Symbolic links are removed, never
 * followed. Not durable by itself, and not atomic. Throws `CKPT_NO_PERMISSION`, `CKPT_IO`.
 */
export async function removeTree(path: string, options: RemoveTreeOptions = {}): Promise<void> {
  const fs = options.fs ?? nodeFileSystem;
  try {
    if (fs === nodeFileSystem) {
      // fs-extra knows the ways of Windows with open and read-only files. It is slow to load, hence only when needed.
      const { default: extra } = await import("fs-extra");
      await extra.remove(path);
    } else await walk(path, fs);
  } catch (error) {
    throw toCkptError(error, { doing: "remove", path });
  }
}

async function walk(path: string, fs: FileSystem): Promise<void> {
  const found = await fs.stat(path);
  if (found === undefined) return;
  if (found.kind !== "directory") return fs.unlink(path);
  for (const name of await fs.readdir(path)) await walk(join(path, name), fs);
  await fs.rmdir(path);
}
