/** The entries of one agent in a hint: in blocks, so that however many they are, they are unpacked in slices. docs/format.md, "Hints". */
import { promisify } from "node:util";
import zlib from "node:zlib";
import { crc32, Slices } from "@ckpt/io";
import type { StoredEntry } from "./entry.js";
import { EntryDecoder } from "./entry-decode.js";
import { encodeEntry } from "./entry-encode.js";
import type { SegmentName } from "./layout.js";
import { isNatural, isPositive } from "./segment-header.js";

const deflateInPool = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);
const inflateInPool = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);

/** Entries of a block at most: it is parsed in one go. */
const BLOCK_ENTRIES = 512;
/** Deflate cannot expand further; anything that claims more is hostile. */
const MAX_RATIO = 1032;
/** What is longer than this unpacked is left alone: the segment is read instead. */
const MAX_PLAIN_BYTES = 64 * 1024 * 1024;
/** So much and less is packed and unpacked at once: the way to the thread pool and back takes longer than the work. */
const POOL_BYTES = 32 * 1024;

/** Where a block lies: behind the one before it. */
export interface HintBlock {
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly crc: number;
}

export interface PackedBlock extends HintBlock {
  readonly stored: Buffer;
}

export async function deflateRaw(plain: Buffer): Promise<Buffer> {
  return plain.length > POOL_BYTES
    ? deflateInPool(plain, { level: 1 })
    : zlib.deflateRawSync(plain, { level: 1 });
}

/** The parsed content; undefined when it is not of the length that was promised. */
export async function inflateJson(stored: Uint8Array, plainBytes: number): Promise<unknown> {
  if (plainBytes > MAX_PLAIN_BYTES || plainBytes > stored.length * MAX_RATIO) return undefined;
  const limit = { maxOutputLength: Math.max(plainBytes, 1) };
  const plain =
    plainBytes > POOL_BYTES ? await inflateInPool(stored, limit) : zlib.inflateRawSync(stored, limit);
  return plain.length === plainBytes ? JSON.parse(plain.toString("utf8")) : undefined;
}

export async function packEntries(entries: readonly StoredEntry[], slices: Slices): Promise<PackedBlock[]> {
  const blocks: PackedBlock[] = [];
  for (let from = 0; from < entries.length; from += BLOCK_ENTRIES) {
    const texts: string[] = [];
    for (const entry of entries.slice(from, from + BLOCK_ENTRIES)) {
      const { offset, length } = entry;
      const sectionOffset = entry.kind === "put" ? entry.sectionOffset : 0;
      texts.push(JSON.stringify([encodeEntry(entry), offset, length, sectionOffset]));
      const pause = slices.pause();
      if (pause !== undefined) await pause;
    }
    const plain = Buffer.from(`[${texts.join(",")}]`);
    const stored = await deflateRaw(plain);
    blocks.push({ stored, storedBytes: stored.length, plainBytes: plain.length, crc: crc32(stored) });
  }
  return blocks;
}

/** The entries of blocks that lie one after another in `stored`; undefined when they are not what the hint's directory said. */
export async function unpackEntries(
  stored: Buffer,
  blocks: readonly HintBlock[],
  segment: SegmentName,
  segmentBytes: number,
): Promise<StoredEntry[] | undefined> {
  const slices = new Slices();
  const entries: StoredEntry[] = [];
  let orphans = 0;
  const decoder = new EntryDecoder(() => orphans++);
  let at = 0;
  for (const { storedBytes, plainBytes, crc } of blocks) {
    const block = stored.subarray(at, at + storedBytes);
    at += storedBytes;
    if (crc32(block) !== crc) return undefined;
    const rows = await inflateJson(block, plainBytes);
    if (!Array.isArray(rows)) return undefined;
    for (const row of rows as unknown[]) {
      if (!Array.isArray(row)) return undefined;
      // By index: at this size of histories the iterators of a destructuring are felt.
      const raw: unknown = row[0];
      const offset: unknown = row[1];
      const length: unknown = row[2];
      const sectionOffset: unknown = row[3];
      if (!isNatural(offset) || !isPositive(length) || !isNatural(sectionOffset)) return undefined;
      if (offset + length > segmentBytes) return undefined;
      entries.push(decoder.decode(raw, { segment, offset, length, sectionOffset }));
      const pause = slices.pause();
      if (pause !== undefined) await pause;
    }
  }
  return orphans === 0 ? entries : undefined;
}
