/** Small JSON files with a checksum line: docs/format.md, "Checked JSON". */
import path from "node:path";
import { CkptError } from "@ckpt/errors";
import { classify, crc32, type FileSystem, linkExclusive, readFully, tempName, writeFully } from "@ckpt/io";
import { isUnsafePath, openPlain } from "./unsafe-path.js";

/** The longest file of this kind, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The bytes of a checked JSON file. */
export function encodeCheckedJson(value: unknown): Buffer {
  const line = Buffer.from(JSON.stringify(value));
  const check = crc32(line).toString(16).padStart(8, "0");
  return Buffer.concat([line, Buffer.from(`\n${check}\n`)]);
}

/** The value; undefined when the checksum or the form is wrong. */
function decodeCheckedJson(bytes: Buffer): unknown {
  const end = bytes.length - 10;
  if (end < 1 || bytes[end] !== 0x0a || bytes[bytes.length - 1] !== 0x0a) return undefined;
  const line = bytes.subarray(0, end);
  if (bytes.toString("latin1", end + 1, end + 9) !== crc32(line).toString(16).padStart(8, "0"))
    return undefined;
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    return undefined; // the checksum of what never was JSON: damaged all the same
  }
}

/**
 * What a file holds: `"absent"`, `"damaged"`, or its value. Throws the file system's error where reading fails, `CKPT_UNSAFE_PATH` where
 * something else than a plain file stands there.
 */
export async function readCheckedJson(
  fs: FileSystem,
  file: string,
): Promise<{ value: unknown } | "absent" | "damaged"> {
  try {
    const handle = await openPlain(fs, file);
    try {
      const { size } = await handle.stat();
      if (size > MAX_BYTES) return "damaged";
      const bytes = Buffer.allocUnsafe(size);
      const value = decodeCheckedJson(bytes.subarray(0, await readFully(handle, bytes, 0, size, 0)));
      return value === undefined ? "damaged" : { value };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (classify(error) === "not-found") return "absent";
    throw error;
  }
}

/**
 * The same for a file that can be done without: where the device fails, or something else stands there, it is as good as damaged, and keeps
 * nothing else from being read. It is read twice before it counts as that: `repair()` would put it into quarantine.
 */
export async function readDerivedJson(fs: FileSystem, file: string): ReturnType<typeof readCheckedJson> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readCheckedJson(fs, file);
    } catch (error) {
      if (isUnsafePath(error)) return "damaged";
      if (classify(error) !== "damaged") throw error;
      if (attempt === 2) return "damaged";
    }
  }
}

/**
 * Publishes a file under a name that must be free: temporary file, fsync, exclusive link, fsync of the directory. False when the
 * name was taken.
 */
export async function publishFile(fs: FileSystem, file: string, bytes: Uint8Array): Promise<boolean> {
  const directory = path.dirname(file);
  const temporary = path.join(directory, tempName());
  try {
    await writeSynced(fs, temporary, [bytes]);
    await linkExclusive(fs, temporary, file);
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined); // left over at worst; maintenance sweeps it
    if (classify(error) === "exists") return false;
    throw error;
  }
  await fs.unlink(temporary).catch(() => undefined); // the same
  await fs.syncDirectory(directory);
  return true;
}

/** Replaces a file atomically: temporary file, fsync, rename, fsync of the directory. */
export async function replaceFile(fs: FileSystem, file: string, bytes: readonly Uint8Array[]): Promise<void> {
  const directory = path.dirname(file);
  const temporary = path.join(directory, tempName());
  try {
    await writeSynced(fs, temporary, bytes);
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined); // as above
    throw error;
  }
  await fs.syncDirectory(directory);
}

async function writeSynced(fs: FileSystem, file: string, bytes: readonly Uint8Array[]): Promise<void> {
  const handle = await fs.open(file, { access: "write", create: "exclusive", mode: 0o600 });
  try {
    await writeFully(handle, bytes, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The error for a file whose format version is above ours. */
export function newerFormat(file: string, format: number): CkptError {
  return new CkptError("CKPT_NEWER_VERSION", {
    message: `${file} has format version ${format}, newer than this package knows.`,
    hint: "Update @ckpt/disk.",
    details: { path: file, format },
  });
}
