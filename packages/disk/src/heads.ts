/** The last recorded head of each segment, kept outside the segments: docs/format.md, "Heads". */
import { classify, type FileSystem } from "@ckpt/io";
import { encodeCheckedJson, readDerivedJson, replaceFile } from "./checked-json.js";
import { parseHeadsFile, type StoreLayout } from "./layout.js";
import { FORMAT_VERSION, isNatural, isPositive } from "./segment-header.js";
import type { SegmentEnd } from "./segment-scan.js";

export interface SegmentHead {
  readonly number: number;
  readonly end: SegmentEnd;
  readonly sealed: boolean;
  /** First and last sequence that was put there, per agent. */
  readonly agents: ReadonlyMap<string, readonly [number, number]>;
  /** `repair` has written down that this is lost: it is missed no more, and its sequences are not given out again. */
  readonly isLost?: boolean;
}

/** At most so many ranges are written; beyond it the oldest segments' ranges are left out. */
const MAX_RANGES = 20_000;

function encodeHeads(writerId: string, heads: readonly SegmentHead[]): Buffer {
  let ranges = MAX_RANGES;
  const segments = [...heads].reverse().map(({ number, end, sealed, agents, isLost }) => {
    ranges -= agents.size;
    return {
      number,
      length: end.length,
      lastFrame: end.lastFrame,
      chain: Buffer.from(end.chain).toString("hex"),
      sealed,
      agents: ranges < 0 ? {} : Object.fromEntries(agents),
      ...(isLost === true ? { lost: true } : {}),
    };
  });
  return encodeCheckedJson({ format: FORMAT_VERSION, writerId, segments: segments.reverse() });
}

export async function writeHeads(
  fs: FileSystem,
  layout: StoreLayout,
  writerId: string,
  heads: readonly SegmentHead[],
): Promise<void> {
  await replaceFile(fs, layout.headsFile(writerId), [encodeHeads(writerId, heads)]);
}

/** The recorded heads of one writer; `"absent"` or `"damaged"` where there are none to rely on. */
export async function readHeads(
  fs: FileSystem,
  layout: StoreLayout,
  writerId: string,
): Promise<SegmentHead[] | "absent" | "damaged"> {
  const read = await readDerivedJson(fs, layout.headsFile(writerId));
  if (typeof read === "string") return read;
  const { segments, writerId: owner } = (read.value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(segments) || owner !== writerId) return "damaged";
  const heads: SegmentHead[] = [];
  for (const segment of segments) {
    const head = parseHead(segment);
    if (head === undefined) return "damaged";
    heads.push(head);
  }
  return heads;
}

/** The writers that have recorded heads. */
export async function listHeads(fs: FileSystem, layout: StoreLayout): Promise<string[]> {
  try {
    return (await fs.readdir(layout.heads)).flatMap((name) => parseHeadsFile(name) ?? []);
  } catch (error) {
    if (classify(error) === "not-found") return [];
    throw error;
  }
}

function parseHead(json: unknown): SegmentHead | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { number, length, lastFrame, chain, sealed, agents, lost } = json as Record<string, unknown>;
  if (!isPositive(number) || !isPositive(length) || !isNatural(lastFrame) || typeof chain !== "string")
    return undefined;
  const bytes = Buffer.from(chain, "hex");
  if (bytes.length !== 16 || typeof agents !== "object" || agents === null) return undefined;
  const ranges = new Map<string, readonly [number, number]>();
  for (const [agentId, range] of Object.entries(agents)) {
    const [first, last] = Array.isArray(range) ? (range as unknown[]) : [];
    if (!isNatural(first) || !isNatural(last)) return undefined;
    ranges.set(agentId, [first, last]);
  }
  const end = { length, lastFrame, chain: bytes };
  return { number, end, sealed: sealed === true, agents: ranges, isLost: lost === true };
}
