/** The `FORMAT` file: which format, which store. Created once. */
import { randomUUID } from "node:crypto";
import { CkptError } from "@ckpt/errors";
import type { FileSystem } from "@ckpt/io";
import { encodeCheckedJson, newerFormat, publishFile, readCheckedJson } from "./checked-json.js";
import type { StoreLayout } from "./layout.js";
import { FORMAT_VERSION, isPositive } from "./segment-header.js";

/** The store's id; `"absent"` in a directory that is no store yet, `"damaged"` when the file makes no sense. */
export async function readStoreId(
  fs: FileSystem,
  layout: StoreLayout,
): Promise<{ storeId: string } | "absent" | "damaged"> {
  const read = await readCheckedJson(fs, layout.formatFile);
  if (typeof read === "string") return read;
  const { format, storeId } = (read.value ?? {}) as Record<string, unknown>;
  if (isPositive(format) && format > FORMAT_VERSION) throw newerFormat(layout.formatFile, format);
  return isPositive(format) && typeof storeId === "string" ? { storeId } : "damaged";
}

/** The store's id, made up and published if there is none. Throws `CKPT_CORRUPT` when the file is damaged. */
export async function ensureStoreId(
  fs: FileSystem,
  layout: StoreLayout,
  known: string | undefined,
): Promise<string> {
  let read = await readStoreId(fs, layout);
  if (read === "absent") {
    const bytes = encodeCheckedJson({ format: FORMAT_VERSION, storeId: known ?? randomUUID() });
    await publishFile(fs, layout.formatFile, bytes);
    read = await readStoreId(fs, layout);
  }
  if (typeof read !== "string") return read.storeId;
  // Damaged: the segments still say which store this is, and writing on is better than refusing to.
  if (known !== undefined) return known;
  throw new CkptError("CKPT_CORRUPT", {
    message: `${layout.formatFile} is damaged.`,
    hint: "Move it away; it is written anew from what the segments say.",
    details: { path: layout.formatFile },
  });
}
