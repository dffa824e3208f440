/** What stands where the store has its own, and is something else: nothing of it is followed, read or written. */
import { CkptError, isCkptError } from "@ckpt/errors";
import { errnoOf, type FileHandle, type FileSystem, isErrno } from "@ckpt/io";
import type { DiskStoreCode } from "./errors.js";
import type { StoreLayout } from "./layout.js";

/** Refuses what is not a plain directory where the store has one of its own. Nothing was followed or changed. */
export async function checkDirectories(fs: FileSystem, layout: StoreLayout): Promise<void> {
  await checkRoot(fs, layout.root);
  for (const directory of layout.directories()) await checkDirectory(fs, directory);
}

/** Whether the directory is there; throws `CKPT_UNSAFE_PATH` when it is something else. */
export async function checkDirectory(fs: FileSystem, directory: string): Promise<boolean> {
  const found = await fs.stat(directory);
  if (found === undefined) return false;
  if (found.kind === "directory") return true;
  throw unsafePath(directory, `a ${found.kind}, not a directory of the store`);
}

/** Throws `CKPT_UNSAFE_PATH` where something else than a plain file stands; nothing may be there. */
export async function checkFile(fs: FileSystem, path: string): Promise<void> {
  const kind = (await fs.stat(path))?.kind ?? "file";
  if (kind !== "file") throw unsafePath(path, `${nameOf(kind)}, not a file of the store`);
}

/**
 * Opens a file of the store for reading. Throws `CKPT_UNSAFE_PATH` where something else than a plain file stands there, else the file
 * system's error.
 */
export async function openPlain(fs: FileSystem, path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await fs.open(path, { access: "read" });
  } catch (error) {
    const kind = await fs.stat(path).then(
      (found) => found?.kind ?? "file",
      () => "file" as const,
    );
    throw kind === "file" ? error : unsafePath(path, `${nameOf(kind)}, not a file of the store`, error);
  }
  try {
    const { kind } = await handle.stat();
    if (kind !== "file") throw unsafePath(path, `${nameOf(kind)}, not a file of the store`);
    return handle;
  } catch (error) {
    await handle.close().catch(() => undefined); // it was read only; the first error is the one that matters
    throw error;
  }
}

/** What systems answer where a link, a directory or a pipe stands in a file's place. */
const ODD = ["ELOOP", "EISDIR", "ESPIPE"];

/** Whether an error, or what caused it, tells of something in the place of a file. */
export function isUnsafePath(error: unknown): boolean {
  return isCkptError(error, "CKPT_UNSAFE_PATH") || isErrno(error, ...ODD);
}

/** `error` as `CKPT_UNSAFE_PATH`, when it tells of something in the place of a file at `path` or below; else as it is. */
export function asUnsafePath(error: unknown, path: string): unknown {
  if (isCkptError(error, "CKPT_UNSAFE_PATH") || !isErrno(error, ...ODD)) return error;
  const errno = errnoOf(error);
  const what = errno === "ELOOP" ? "a symbolic link" : errno === "EISDIR" ? "a directory" : "no plain file";
  return unsafePath(pathOf(error) ?? `what stands in ${path}`, what, error, path);
}

function unsafePath(subject: string, what: string, cause?: unknown, path = subject): CkptError {
  return new CkptError<DiskStoreCode>("CKPT_UNSAFE_PATH", {
    message: `${subject} is ${what}; it was not followed.`,
    hint: "Find out who put it there and remove it.",
    cause,
    details: { path },
  });
}

function nameOf(kind: string): string {
  return kind === "symlink" ? "a symbolic link" : kind === "directory" ? "a directory" : "no plain file";
}

/** The path that the system's error names. */
function pathOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { path } = at as NodeJS.ErrnoException;
    if (typeof path === "string") return path;
  }
  return undefined;
}

/** The store's own directory may be reached by a link. Something else there, or a link to nothing, must not pass for an empty store. */
async function checkRoot(fs: FileSystem, root: string): Promise<void> {
  let found = await fs.stat(root);
  if (found?.kind === "symlink") found = await fs.stat(await fs.realpath(root));
  if (found === undefined || found.kind === "directory") return;
  throw new CkptError<DiskStoreCode>("CKPT_CONFLICT", {
    message: `${root} is not a directory`,
    hint: "Pass the directory of the store, or one that can be made; move away what is there if it stands in the way.",
    details: { path: root, kind: found.kind },
  });
}
