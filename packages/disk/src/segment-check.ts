/** Reads one segment frame by frame and says which checkpoints damage in it costs. */
import type { StoreFinding } from "@ckpt/core";
import type { FileSystem } from "@ckpt/io";
import type { PutEntry } from "./entry.js";
import type { StoreLayout } from "./layout.js";
import type { Segment } from "./segment.js";
import { damageFinding, orphanFinding } from "./segment-findings.js";
import type { DamagedRegion, SegmentScan } from "./segment-scan.js";

export async function checkSegment(
  context: { readonly fs: FileSystem; readonly layout: StoreLayout },
  segment: Segment,
  isLiving: boolean,
  signal: AbortSignal | undefined,
): Promise<StoreFinding[]> {
  const scan = await segment.rescan(signal);
  const puts = await knownPuts(segment, scan);
  const findings = scan.damages.map((region) => damageFinding(segment, region, costOf(region, puts)));
  if (scan.orphans.length > 0) findings.push(orphanFinding(segment, scan.orphans));
  // The end of a living writer's segment is on its way, no fault.
  if (scan.tornAt !== undefined && !isLiving) findings.push(tornFinding(segment, scan.tornAt));
  // Likewise the hint that it wrote after this look at the segment began.
  if (!isLiving && (await hasStrayHint(context, segment)))
    findings.push(badHint(context.layout.hint(segment)));
  return findings;
}

/** Whether there is a hint that the segment does not go by. Asked of the segment last: this process may be writing one. */
async function hasStrayHint(
  { fs, layout }: { readonly fs: FileSystem; readonly layout: StoreLayout },
  segment: Segment,
): Promise<boolean> {
  if (segment.hasHint || segment.isWritingHint || (await fs.stat(layout.hint(segment))) === undefined)
    return false;
  // Its writer may have left it since the segment was read.
  return !(await segment.adoptHint()) && !segment.hasHint && !segment.isWritingHint;
}

/** The puts that the hint or an earlier look knew of, else those that can still be read. */
async function knownPuts(segment: Segment, scan: SegmentScan): Promise<PutEntry[]> {
  const puts: PutEntry[] = [];
  for (const agentId of new Set([...segment.agentIds(), ...scan.agents.keys()])) {
    for (const entry of await segment.entries(agentId)) if (entry.kind === "put") puts.push(entry);
  }
  return puts;
}

/** Ids of the checkpoints whose chain passes through the region. */
function costOf({ start, end }: DamagedRegion, puts: readonly PutEntry[]): string[] {
  const hit = new Set<PutEntry>();
  const ids: string[] = [];
  // In the order of the file a base comes before what is on it.
  for (const put of [...puts].sort((a, b) => a.offset - b.offset || a.n - b.n)) {
    const touches = put.offset < end && put.offset + put.length > start;
    if (!touches && (put.base === null || !hit.has(put.base))) continue;
    hit.add(put);
    ids.push(put.header.id);
  }
  return ids;
}

function tornFinding(segment: Segment, at: number): StoreFinding {
  return {
    kind: "torn",
    place: `${segment.path}:${at}`,
    message: `The last write to ${segment.path} did not finish; it was never acknowledged.`,
    affectedIds: [],
    remedy: "Nothing is lost. Compaction or repair() drops it.",
  };
}

function badHint(path: string): StoreFinding {
  return {
    kind: "stale",
    place: path,
    message: `The hint ${path} does not fit its segment; the segment is read instead.`,
    affectedIds: [],
    remedy: "Nothing is lost. repair() writes it anew.",
  };
}
