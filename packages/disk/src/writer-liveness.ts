import { classify, type FileSystem, parseProcessIdentity, proveDeath, readFully } from "@ckpt/io";
import type { StoreLayout } from "./layout.js";

const MAX_LEASE_BYTES = 16 * 1024;
const LEASE = /^([1-9]\d{0,15})\.(lease|released)$/;

/**
 * Whether a writer can still write, found out by reading alone: `ended` when it gave its directory back, or its process is
 * proven gone. Whatever is not certain is `living`.
 */
export async function writerState(
  fs: FileSystem,
  layout: StoreLayout,
  writerId: string,
): Promise<"living" | "ended"> {
  const directory = layout.writer(writerId);
  try {
    const names = await fs.readdir(directory);
    let highest = 0;
    for (const name of names) highest = Math.max(highest, Number(LEASE.exec(name)?.[1] ?? 0));
    if (highest === 0) return "living"; // it may be about to take its lease
    if (names.includes(`${highest}.released`)) return "ended";
    const identity = parseProcessIdentity(await readJson(fs, layout.inWriter(writerId, `${highest}.lease`)));
    if (identity === undefined) return "living";
    return (await proveDeath(identity)).state === "dead" ? "ended" : "living";
  } catch (error) {
    if (classify(error) === "not-found") return "ended";
    throw error;
  }
}

async function readJson(fs: FileSystem, file: string): Promise<unknown> {
  const handle = await fs.open(file, { access: "read" });
  try {
    const bytes = Buffer.alloc(MAX_LEASE_BYTES);
    const length = await readFully(handle, bytes, 0, bytes.length, 0);
    return JSON.parse(bytes.toString("utf8", 0, length));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // unreadable: nothing is proven
    throw error;
  } finally {
    await handle.close();
  }
}
