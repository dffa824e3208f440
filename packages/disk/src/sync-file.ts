import type { FileSystem } from "@ckpt/io";

/** fsync of a file that someone else wrote. Throws the file system's error; after that, what is in the page cache proves nothing. */
export async function syncFile(fs: FileSystem, path: string): Promise<void> {
  const handle = await fs.open(path, { access: "read" });
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
