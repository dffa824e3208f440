import { dirname, resolve } from "node:path";
import { CkptError } from "@ckpt/errors";
import { toCkptError } from "./classify.js";
import { isErrno } from "./errno.js";
import type { FileSystem } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";

/** Options of {@link ensureDirectory}. */
export interface EnsureDirectoryOptions {
  /** The file system; default: this machine's. */
  readonly fs?: FileSystem;
  /** Mode of each directory that is created; default 0o700. */
  readonly mode?: number;
}

/**
 * Makes sure that `path` is a directory. Each level that is missing is created with `mode`, and its parent is synced, as
 * is that of the deepest level found: the whole path survives a power cut once this resolves. Resolves to the levels created, outermost first.
 *
 * Throws `CKPT_CONFLICT` where something else has the name, `CKPT_NO_PERMISSION`, `CKPT_NO_SPACE`, `CKPT_IO`.
 */
export async function ensureDirectory(path: string, options: EnsureDirectoryOptions = {}): Promise<string[]> {
  const fs = options.fs ?? nodeFileSystem;
  const created: string[] = [];
  try {
    await ensure(resolve(path), fs, options.mode ?? 0o700, created);
  } catch (error) {
    throw toCkptError(error, { doing: "create the directory", path });
  }
  return created;
}

async function ensure(path: string, fs: FileSystem, mode: number, created: string[]): Promise<void> {
  const parent = dirname(path);
  if (await isDirectory(path, fs)) {
    // It may be what a process made that died before it synced; its ancestors were synced before it was made.
    if (parent !== path) await syncForeign(parent, fs);
    return;
  }
  if (parent !== path) await ensure(parent, fs, mode, created);
  try {
    await fs.mkdir(path, mode);
    created.push(path);
  } catch (error) {
    // Someone else made it at the same time; its entry must be durable before we build on it as well.
    if (!isErrno(error, "EEXIST") || !(await isDirectory(path, fs))) throw error;
  }
  await fs.syncDirectory(parent);
}

/** Syncs a directory that need not be ours: where it may not be opened, what is in it was not made by us. */
async function syncForeign(path: string, fs: FileSystem): Promise<void> {
  await fs.syncDirectory(path).catch((error: unknown) => {
    if (!isErrno(error, "EACCES", "EPERM")) throw error;
  });
}

async function isDirectory(path: string, fs: FileSystem): Promise<boolean> {
  let found = await fs.stat(path);
  if (found?.kind === "symlink") found = await fs.stat(await fs.realpath(path));
  if (found === undefined || found.kind === "directory") return found !== undefined;
  throw new CkptError("CKPT_CONFLICT", {
    message: `${path} is not a directory`,
    hint: "Move it away, or choose another path.",
    details: { path, kind: found.kind },
  });
}
