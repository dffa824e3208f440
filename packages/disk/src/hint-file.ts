/** The hint of a sealed segment: what it holds, without reading it. docs/format.md, "Hints". */
import { promisify } from "node:util";
import zlib from "node:zlib";
import { crc32, type FileHandle, type FileSystem, readFully } from "@ckpt/io";
import type { StoredEntry } from "./entry.js";
import { EntryDecoder } from "./entry-decode.js";
import { encodeEntry } from "./entry-encode.js";
import type { SegmentName } from "./layout.js";
import { checkSegmentHeader, isNatural, isPositive, type SegmentHeader } from "./segment-header.js";
import type { SegmentEnd } from "./segment-scan.js";
import { Slices } from "./slices.js";

const deflateInPool = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);
const inflateInPool = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);

const MAGIC = Buffer.from("CKPH");
const VERSION = 1;
const HEAD_BYTES = 8;
const FOOTER_BYTES = 16;
/** Deflate cannot expand further; anything that claims more is hostile. */
const MAX_RATIO = 1032;
/** What is longer than this unpacked is left alone: the segment is read instead. */
const MAX_PLAIN_BYTES = 64 * 1024 * 1024;
/** The directory mostly lies within this many last bytes, so that one read gets it. */
const TAIL_BYTES = 16 * 1024;

/** So much and less is packed and unpacked at once: the way to the thread pool and back takes longer than the work. */
const POOL_BYTES = 32 * 1024;

/** What a segment holds of one agent, without its entries. */
export interface AgentSummary {
  readonly entries: number;
  readonly maxEpoch: number;
  readonly maxNumber: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

interface Block extends AgentSummary {
  readonly offset: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly crc: number;
}

/** What a hint says about its segment as a whole. */
export interface HintDirectory {
  readonly header: SegmentHeader;
  readonly end: SegmentEnd;
  readonly agents: ReadonlyMap<string, Block>;
}

/** The sums that a directory keeps per agent. */
export function summarize(entries: readonly StoredEntry[]): AgentSummary {
  const sum = { entries: entries.length, maxEpoch: 0, maxNumber: 0, firstSequence: 0, lastSequence: 0 };
  for (const entry of entries) {
    sum.maxEpoch = Math.max(sum.maxEpoch, entry.epoch);
    sum.maxNumber = Math.max(sum.maxNumber, entry.n);
    const sequence =
      entry.kind === "put" ? entry.header.sequence : entry.kind === "sequence" ? entry.lastSequence : 0;
    if (sequence === 0) continue;
    sum.lastSequence = Math.max(sum.lastSequence, sequence);
    if (sum.firstSequence === 0 || sequence < sum.firstSequence) sum.firstSequence = sequence;
  }
  return sum;
}

async function deflateRaw(plain: Buffer): Promise<Buffer> {
  return plain.length > POOL_BYTES
    ? deflateInPool(plain, { level: 1 })
    : zlib.deflateRawSync(plain, { level: 1 });
}

/** The bytes of a hint file. */
export async function encodeHint(
  header: SegmentHeader,
  end: SegmentEnd,
  agents: ReadonlyMap<string, readonly StoredEntry[]>,
): Promise<Buffer[]> {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt32LE(VERSION, 4);
  const parts: Buffer[] = [head];
  const rows: unknown[] = [];
  let offset = HEAD_BYTES;
  for (const [agentId, entries] of agents) {
    const plain = Buffer.from(await entriesText(entries));
    const stored = await deflateRaw(plain);
    const { maxEpoch, maxNumber, firstSequence, lastSequence } = summarize(entries);
    const place = [offset, stored.length, plain.length, crc32(stored)];
    rows.push([agentId, entries.length, maxEpoch, maxNumber, firstSequence, lastSequence, ...place]);
    parts.push(stored);
    offset += stored.length;
  }
  const { format, storeId, writerId, number, compacted, voids } = header;
  const segment = {
    format,
    storeId,
    writerId,
    number,
    compacted,
    void: voids.map((v) => [v.number, v.offset]),
  };
  const at = [end.length, end.lastFrame, Buffer.from(end.chain).toString("hex")];
  const plain = Buffer.from(JSON.stringify({ segment, end: at, agents: rows }));
  const directory = await deflateRaw(plain);
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32LE(directory.length, 0);
  footer.writeUInt32LE(plain.length, 4);
  footer.writeUInt32LE(crc32(directory), 8);
  MAGIC.copy(footer, 12);
  return [...parts, directory, footer];
}

/** The entries and where they stand, as JSON; in slices, for they may be many thousands. */
async function entriesText(entries: readonly StoredEntry[]): Promise<string> {
  const slices = new Slices();
  const texts: string[] = [];
  for (const entry of entries) {
    const { offset, length } = entry;
    const sectionOffset = entry.kind === "put" ? entry.sectionOffset : 0;
    texts.push(JSON.stringify([encodeEntry(entry), offset, length, sectionOffset]));
    const pause = slices.pause();
    if (pause !== undefined) await pause;
  }
  return `[${texts.join(",")}]`;
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, await readFully(handle, buffer, 0, length, position));
}

async function inflateJson(stored: Uint8Array, plainBytes: number): Promise<unknown> {
  if (plainBytes > MAX_PLAIN_BYTES || plainBytes > stored.length * MAX_RATIO) return undefined;
  const limit = { maxOutputLength: Math.max(plainBytes, 1) };
  const plain =
    plainBytes > POOL_BYTES ? await inflateInPool(stored, limit) : zlib.inflateRawSync(stored, limit);
  return plain.length === plainBytes ? JSON.parse(plain.toString("utf8")) : undefined;
}

/** The directory of the hint at `path`; undefined when there is none, or it is damaged or of another version. */
export async function readHintDirectory(fs: FileSystem, path: string): Promise<HintDirectory | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await fs.open(path, { access: "read" });
    const { size } = await handle.stat();
    if (size < HEAD_BYTES + FOOTER_BYTES) return undefined;
    const tailBytes = Math.min(size, TAIL_BYTES);
    const tail = await readAt(handle, size - tailBytes, tailBytes);
    const footer = tail.subarray(tail.length - FOOTER_BYTES);
    const length = footer.readUInt32LE(0);
    if (!footer.subarray(12).equals(MAGIC) || length > size - HEAD_BYTES - FOOTER_BYTES) return undefined;
    const start = tail.length - FOOTER_BYTES - length;
    const directory =
      start >= 0
        ? tail.subarray(start, start + length)
        : await readAt(handle, size - FOOTER_BYTES - length, length);
    if (crc32(directory) !== footer.readUInt32LE(8)) return undefined;
    return checkDirectory(await inflateJson(directory, footer.readUInt32LE(4)), size);
  } catch {
    // A hint is derived: whatever is wrong with it, the segment itself is read instead.
    return undefined;
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

function checkDirectory(json: unknown, size: number): HintDirectory | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { segment, end, agents: rows } = json as Record<string, unknown>;
  const header = checkSegmentHeader(segment);
  if (header === undefined || !Array.isArray(end) || !Array.isArray(rows)) return undefined;
  const [length, lastFrame, chainHex] = end as unknown[];
  if (!isPositive(length) || !isNatural(lastFrame) || typeof chainHex !== "string") return undefined;
  const chain = Buffer.from(chainHex, "hex");
  if (chain.length !== 16) return undefined;
  const agents = new Map<string, Block>();
  for (const row of rows) {
    if (!Array.isArray(row) || typeof row[0] !== "string" || !row.slice(1).every(isNatural)) return undefined;
    const [entries, maxEpoch, maxNumber, firstSequence, lastSequence, offset, storedBytes, plainBytes, crc] =
      row.slice(1) as [number, number, number, number, number, number, number, number, number];
    if (crc === undefined || offset + storedBytes > size) return undefined;
    agents.set(row[0], {
      entries,
      maxEpoch,
      maxNumber,
      firstSequence,
      lastSequence,
      offset,
      storedBytes,
      plainBytes,
      crc,
    });
  }
  return { header, end: { length, lastFrame, chain }, agents };
}

/** The entries of one agent from the hint at `path`; undefined when the hint is not what its directory said. */
export async function readHintEntries(
  fs: FileSystem,
  path: string,
  directory: HintDirectory,
  agentId: string,
  segment: SegmentName,
): Promise<StoredEntry[] | undefined> {
  const block = directory.agents.get(agentId);
  if (block === undefined) return [];
  let handle: FileHandle | undefined;
  try {
    handle = await fs.open(path, { access: "read" });
    const stored = await readAt(handle, block.offset, block.storedBytes);
    if (crc32(stored) !== block.crc) return undefined;
    const rows = await inflateJson(stored, block.plainBytes);
    return Array.isArray(rows) && rows.length === block.entries
      ? decodeRows(rows, segment, directory.end.length)
      : undefined;
  } catch {
    // As above: the segment is read instead.
    return undefined;
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

function decodeRows(
  rows: readonly unknown[],
  segment: SegmentName,
  segmentBytes: number,
): StoredEntry[] | undefined {
  let orphans = 0;
  const decoder = new EntryDecoder(() => orphans++);
  const entries: StoredEntry[] = [];
  for (const row of rows) {
    const [raw, offset, length, sectionOffset] = Array.isArray(row) ? (row as unknown[]) : [];
    if (!isNatural(offset) || !isPositive(length) || !isNatural(sectionOffset)) return undefined;
    if (offset + length > segmentBytes) return undefined;
    entries.push(decoder.decode(raw, { segment, offset, length, sectionOffset }));
  }
  return orphans === 0 ? entries : undefined;
}
