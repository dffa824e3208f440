import type { FileSystem } from "@ckpt/io";
import { readFully, writeFully } from "@ckpt/io";

/** The bytes of a file; undefined where there is none. */
export async function readFile(fs: FileSystem, path: string): Promise<Buffer | undefined> {
  const stat = await fs.stat(path);
  if (stat?.kind !== "file") return undefined;
  const handle = await fs.open(path, { access: "read" });
  const bytes = Buffer.alloc(stat.size);
  await readFully(handle, bytes, 0, stat.size, 0);
  await handle.close();
  return bytes;
}

/** Replaces a file's bytes in place. */
export async function writeFile(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const handle = await fs.open(path, { access: "readWrite", create: "ifMissing" });
  await handle.truncate(0);
  if (bytes.length > 0) await writeFully(handle, [bytes], 0);
  await handle.sync();
  await handle.close();
}

/** All files below a directory, by path. */
export async function filesBelow(fs: FileSystem, directory: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of await fs.readdir(directory)) {
    const path = `${directory === "/" ? "" : directory}/${name}`;
    const bytes = await readFile(fs, path);
    if (bytes !== undefined) files.set(path, bytes);
    else for (const [below, content] of await filesBelow(fs, path)) files.set(below, content);
  }
  return files;
}

/** Flips a bit where `text` stands last in a file. Throws where it does not: then nothing would be tested. */
export async function flipAt(fs: FileSystem, path: string, text: string): Promise<void> {
  const bytes = await readFile(fs, path);
  const at = bytes?.lastIndexOf(text) ?? -1;
  if (bytes === undefined || at < 0) throw new Error(`${path} does not hold ${JSON.stringify(text)}`);
  bytes[at] = bytes[at]! ^ 1;
  await writeFile(fs, path, bytes);
}

/** The files of all writers whose names end so, in order. */
export async function writersFiles(fs: FileSystem, end: string): Promise<string[]> {
  return [...(await filesBelow(fs, "/store/writers")).keys()].filter((path) => path.endsWith(end)).sort();
}
