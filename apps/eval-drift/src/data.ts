import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Reads a text file of the data directory; a name ending in `.gz` is unpacked. */
export async function readText(root: string, name: string): Promise<string> {
  const bytes = await readFile(join(root, name));
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/** One JSON value per line. */
export async function readJsonLines<T>(root: string, name: string): Promise<T[]> {
  const text = await readText(root, name);
  return text
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

/** A CSV file without quotes: the header's names, and the rows. */
export async function readCsv(root: string, name: string): Promise<{ header: string[]; rows: string[][] }> {
  const lines = (await readText(root, name)).split(/\r?\n/).filter((line) => line !== "");
  const [header, ...rows] = lines.map((line) => line.split(","));
  return { header: header ?? [], rows };
}
