/** The hint of a sealed segment: what it holds, without reading it. docs/format.md, "Hints". */
import { crc32, type FileHandle, type FileSystem, readFully, type Slices } from "@ckpt/io";
import type { StoredEntry } from "./entry.js";
import { deflateRaw, type HintBlock, inflateJson, packEntries, unpackEntries } from "./hint-blocks.js";
import type { SegmentName } from "./layout.js";
import { checkSegmentHeader, isNatural, isPositive, type SegmentHeader } from "./segment-header.js";
import type { SegmentEnd } from "./segment-scan.js";

const MAGIC = Buffer.from("CKPH");
const VERSION = 1;
const HEAD_BYTES = 8;
const FOOTER_BYTES = 16;
/** The directory mostly lies within this many last bytes, so that one read gets it. */
const TAIL_BYTES = 16 * 1024;

/** What a segment holds of one agent, without its entries. */
export interface AgentSummary {
  readonly entries: number;
  readonly maxEpoch: number;
  readonly maxNumber: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

interface AgentBlocks extends AgentSummary {
  readonly offset: number;
  readonly blocks: readonly HintBlock[];
}

/** What a hint says about its segment as a whole. */
export interface HintDirectory {
  readonly header: SegmentHeader;
  readonly end: SegmentEnd;
  readonly agents: ReadonlyMap<string, AgentBlocks>;
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

/** The bytes of a hint file. */
export async function encodeHint(
  header: SegmentHeader,
  end: SegmentEnd,
  agents: ReadonlyMap<string, readonly StoredEntry[]>,
  slices: Slices,
): Promise<Buffer[]> {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt32LE(VERSION, 4);
  const parts: Buffer[] = [head];
  const rows: unknown[] = [];
  let offset = HEAD_BYTES;
  for (const [agentId, entries] of agents) {
    const { maxEpoch, maxNumber, firstSequence, lastSequence } = summarize(entries);
    const row = [agentId, entries.length, maxEpoch, maxNumber, firstSequence, lastSequence, offset];
    for (const { stored, storedBytes, plainBytes, crc } of await packEntries(entries, slices)) {
      row.push(storedBytes, plainBytes, crc);
      parts.push(stored);
      offset += storedBytes;
    }
    rows.push(row);
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

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, await readFully(handle, buffer, 0, length, position));
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
  const agents = new Map<string, AgentBlocks>();
  for (const row of rows) {
    if (!Array.isArray(row) || typeof row[0] !== "string" || !row.slice(1).every(isNatural)) return undefined;
    const [entries, maxEpoch, maxNumber, firstSequence, lastSequence, offset, ...places] = row.slice(1);
    if (offset === undefined || places.length % 3 !== 0) return undefined;
    const blocks: HintBlock[] = [];
    for (let i = 0; i < places.length; i += 3)
      blocks.push({ storedBytes: places[i], plainBytes: places[i + 1], crc: places[i + 2] });
    if (offset + lengthOf(blocks) > size) return undefined;
    agents.set(row[0], { entries, maxEpoch, maxNumber, firstSequence, lastSequence, offset, blocks });
  }
  return { header, end: { length, lastFrame, chain }, agents };
}

function lengthOf(blocks: readonly HintBlock[]): number {
  return blocks.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}

/** The entries of one agent from the hint at `path`; undefined when the hint is not what its directory said. */
export async function readHintEntries(
  fs: FileSystem,
  path: string,
  directory: HintDirectory,
  agentId: string,
  segment: SegmentName,
): Promise<StoredEntry[] | undefined> {
  const known = directory.agents.get(agentId);
  if (known === undefined) return [];
  let handle: FileHandle | undefined;
  try {
    handle = await fs.open(path, { access: "read" });
    const stored = await readAt(handle, known.offset, lengthOf(known.blocks));
    const entries = await unpackEntries(stored, known.blocks, segment, directory.end.length);
    return entries?.length === known.entries ? entries : undefined;
  } catch {
    // As above: the segment is read instead.
    return undefined;
  } finally {
    await handle?.close().catch(() => undefined);
  }
}
