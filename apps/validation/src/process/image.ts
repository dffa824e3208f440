import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** The files of a directory, held in memory: to be laid out again, whole or damaged. */
export type Image = ReadonlyMap<string, Buffer>;

/** Reads a directory; files that vanish meanwhile (a live writer's) are left out. */
export async function readImage(directory: string): Promise<Image> {
  const image = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (bytes) image.set(relative(directory, path), bytes);
  }
  return image;
}

/** Lays an image out as `directory`, in place of what was there. */
export async function writeImage(image: Image, directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of image) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, bytes, { mode: 0o600 });
  }
}
