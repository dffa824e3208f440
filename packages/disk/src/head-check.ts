/** Compares what was recorded about a writer's segments with what is there. */
import type { StoreFinding } from "@ckpt/core";
import { classify, type FileHandle, type FileSystem } from "@ckpt/io";
import type { SegmentHead } from "./heads.js";
import { type StoreLayout, segmentKey } from "./layout.js";
import { between } from "./replay.js";
import type { Segment } from "./segment.js";
import { endsWith } from "./segment-end.js";
import type { WriterSegments } from "./writer-segments.js";

export interface HeadCheckContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  isReplaced(key: string): boolean;
}

/** What a recorded head proves about its segment. */
export async function checkHeads(context: HeadCheckContext, writer: WriterSegments): Promise<StoreFinding[]> {
  const { heads, writerId } = writer;
  if (heads === "damaged") return [damagedHeads(context.layout.headsFile(writerId))];
  const findings: StoreFinding[] = [];
  const known = new Set<number>();
  for (const head of heads === "absent" ? [] : heads) {
    known.add(head.number);
    if (context.isReplaced(segmentKey({ writerId, number: head.number }))) continue;
    const segment = writer.segments.get(head.number);
    const reached =
      segment === undefined || segment.isMissing ? "missing" : await reaches(context.fs, segment, head);
    if (segment === undefined || reached === "missing")
      findings.push(missing(context.layout, writerId, head));
    else if (reached === "no") {
      // A region that reading has named need not be named twice, unless it hides what came last.
      const finding = rolledBack(segment, head);
      if (segment.damages.length === 0 || finding.affectedIds.length > 0) findings.push(finding);
    } else if (segment.damages.length > 0) {
      // The last frame is where it was, and its body may be what is damaged.
      const affectedIds = lastOnes(segment, head);
      if (affectedIds.length > 0) findings.push(damagedEnd(segment, affectedIds));
    }
  }
  for (const segment of writer.segments.values()) {
    if (segment.isMissing && !known.has(segment.number)) findings.push(missingSegment(segment));
    findings.push(...identityFindings(segment));
  }
  return findings;
}

/** Whether the segment holds what the head says; `missing` when it went away since it was opened, as what compaction replaces does. */
async function reaches(
  fs: FileSystem,
  segment: Segment,
  head: SegmentHead,
): Promise<"yes" | "no" | "missing"> {
  const { end } = segment;
  if (end.length === head.end.length && Buffer.compare(end.chain, head.end.chain) === 0) return "yes";
  let handle: FileHandle;
  try {
    handle = await fs.open(segment.path, { access: "read" });
  } catch (error) {
    if (classify(error) === "not-found") return "missing";
    throw error;
  }
  try {
    return (await endsWith(handle, head.end)) ? "yes" : "no";
  } finally {
    await handle.close();
  }
}

function missing(layout: StoreLayout, writerId: string, head: SegmentHead): StoreFinding {
  const path = layout.segment({ writerId, number: head.number });
  return {
    kind: "missing",
    place: path,
    message: `The segment ${path} was recorded with ${head.end.length} bytes and is not there.`,
    affectedIds: [...head.agents].flatMap(([agentId, [first, last]]) => ids(agentId, first, last)),
    remedy: "Bring the file back from a copy, or restore from a mirror; repair() records the loss.",
  };
}

/** A segment that is gone; what its hint or an earlier look knew of it says what it held. */
export function missingSegment(segment: Segment): StoreFinding {
  const affected = [...segment.agentIds()].flatMap((agentId) => {
    const sum = segment.summary(agentId);
    return sum === undefined ? [] : ids(agentId, sum.firstSequence, sum.lastSequence);
  });
  return {
    kind: "missing",
    place: segment.path,
    message: `The segment ${segment.path} is not there.`,
    affectedIds: affected,
    remedy: "Bring the file back from a copy, or restore from a mirror; repair() records the loss.",
  };
}

/** Ids of what the head says was put there behind the last put that can be read. */
function lastOnes(segment: Segment, head: SegmentHead): string[] {
  return [...head.agents].flatMap(([agentId, [first, last]]) => {
    const there = segment.summary(agentId);
    return ids(agentId, Math.max(first, (there?.lastSequence ?? 0) + 1), last);
  });
}

function rolledBack(segment: Segment, head: SegmentHead): StoreFinding {
  return {
    kind: "stale",
    place: segment.path,
    message: `The segment ${segment.path} was recorded with ${head.end.length} bytes and another content: it was rolled back, cut or exchanged.`,
    affectedIds: lastOnes(segment, head),
    remedy: "Bring the newest copy of the file back, or restore from a mirror; repair() records the loss.",
  };
}

function damagedEnd(segment: Segment, affectedIds: readonly string[]): StoreFinding {
  return {
    kind: "damaged",
    place: segment.path,
    message: `The end of ${segment.path} is damaged; its recorded head says what was put there.`,
    affectedIds,
    remedy: "Bring the file back from a copy, or restore from a mirror; repair() keeps what can be read.",
  };
}

function identityFindings(segment: Segment): StoreFinding[] {
  const { header } = segment;
  if (header === undefined || (header.writerId === segment.writerId && header.number === segment.number))
    return [];
  return [
    {
      kind: "stale",
      place: segment.path,
      message: `${segment.path} holds segment ${segmentKey(header)}: a file was moved or copied here.`,
      affectedIds: [],
      remedy: "Its entries are read all the same; move the file back to its own name.",
    },
  ];
}

function damagedHeads(path: string): StoreFinding {
  return {
    kind: "damaged",
    place: path,
    message: `The recorded heads in ${path} cannot be read: a segment cut short there would not be noticed.`,
    affectedIds: [],
    remedy: "repair() writes them anew from the segments.",
  };
}

function ids(agentId: string, first: number, last: number): string[] {
  return first === 0 || last < first ? [] : between(agentId, first - 1, last + 1, last - first + 1);
}
