import { CkptError } from "@ckpt/errors";
import type { FileSystem } from "@ckpt/io";
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
  throw new CkptError<DiskStoreCode>("CKPT_UNSAFE_PATH", {
    message: `${directory} is a ${found.kind}, not a directory of the store; it was not followed.`,
    hint: "Find out who put it there and remove it.",
    details: { path: directory, kind: found.kind },
  });
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
