import { CkptError } from "@ckpt/errors";
import type { FileSystem } from "@ckpt/io";
import type { DiskStoreCode } from "./errors.js";
import type { StoreLayout } from "./layout.js";

/** Refuses what is not a plain directory where the store has one of its own. Nothing was followed or changed. */
export async function checkDirectories(fs: FileSystem, layout: StoreLayout): Promise<void> {
  for (const directory of layout.directories()) await checkDirectory(fs, directory);
}

/** Whether the directory is there; throws `CKPT_UNSAFE_PATH` when it is something else. */
export async function checkDirectory(fs: FileSystem, directory: string): Promise<boolean> {
  const found = await fs.stat(directory);
  if (found === undefined) return false;
  if (found.kind === "directory") return true;
  throw new CkptError<DiskStoreCode>("CKPT_UNSAFE_PATH", {
    message: `${directory} is a ${found.kind}, not a directory of the store; it was not followed.`,
    hint: "Find out who put it there and remove it.",
    details: { path: directory, kind: found.kind },
  });
}
