/** Compares what was recorded about a writer's segments with what is there. */
import type { StoreFinding } from "@ckpt/core";
import { classify, type FileHandle, type FileSystem } from "@ckpt/io";
import type { SegmentHead } from "./heads.js";
import { type StoreLayout, segmentKey } from "./layout.js";
import { namedRanges, type SequenceRange } from "./named-ids.js";
import type { Segment } from "./segment.js";
import { endsWith } from "./segment-end.js";
import { isUnsafePath, openPlain } from "./unsafe-path.js";
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
    if (head.isLost) continue;
    known.add(head.number);
    if (context.isReplaced(segmentKey({ writerId, number: head.number }))) continue;
    const segment = writer.segments.get(head.number);
    const path = context.layout.segment({ writerId, number: head.number });
    if (segment === undefined && writer.unreadable.has(path)) {
      findings.push(unread(path, head));
      continue;
    }
    const reached =
      segment === undefined || segment.isMissing ? "missing" : await reaches(context.fs, segment, head);
    if (segment === undefined || reached === "missing") findings.push(missing(path, head));
    else if (reached === "no") {
      // A region that reading has named need not be named twice, unless it hides what came last.
      const finding = rolledBack(segment, head);
      if (segment.damages.length === 0 || finding.affectedIds.length > 0) findings.push(finding);
    } else if (segment.damages.length > 0) {
      // The last frame is where it was, and its body may be what is damaged.
      const affectedIds = namedRanges(lastOnes(segment, head)).ids;
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
    handle = await openPlain(fs, segment.path);
  } catch (error) {
    if (classify(error) === "not-found") return "missing";
    // That it cannot be read is a finding of its own, and says nothing of what it holds.
    if (classify(error) === "damaged" || isUnsafePath(error)) return "yes";
    throw error;
  }
  try {
    return (await endsWith(handle, head.end)) ? "yes" : "no";
  } catch (error) {
    if (classify(error) === "damaged") return "yes"; // as above
    throw error;
  } finally {
    await handle.close();
  }
}

function rangesOf(head: SegmentHead): SequenceRange[] {
  return [...head.agents].map(([agentId, [first, last]]) => [agentId, first, last]);
}

/** Why it cannot be read is a finding of its own; its recorded head says what that costs. */
function unread(path: string, head: SegmentHead): StoreFinding {
  return recorded(path, head, "cannot be read", {
    kind: "damaged",
    remedy: "Bring the file back from a copy, or restore from a mirror; repair() moves what is there aside.",
  });
}

function missing(path: string, head: SegmentHead): StoreFinding {
  return recorded(path, head, "is not there", {
    kind: "missing",
    remedy: "Bring the file back from a copy, or restore from a mirror; repair() records the loss.",
  });
}

/** What a recorded head says of a segment that `is` not what it was recorded to be. */
function recorded(
  path: string,
  head: SegmentHead,
  is: string,
  facts: Pick<StoreFinding, "kind" | "remedy">,
): StoreFinding {
  const { ids, more } = namedRanges(rangesOf(head));
  return {
    ...facts,
    place: path,
    message: `The segment ${path} was recorded with ${head.end.length} bytes and ${is}${more}.`,
    affectedIds: ids,
  };
}

/** A segment that is gone; what its hint or an earlier look knew of it says what it held. */
export function missingSegment(segment: Segment): StoreFinding {
  const ranges: SequenceRange[] = [];
  for (const agentId of segment.agentIds()) {
    const sum = segment.summary(agentId);
    if (sum !== undefined) ranges.push([agentId, sum.firstSequence, sum.lastSequence]);
  }
  const { ids, more } = namedRanges(ranges);
  return {
    kind: "missing",
    place: segment.path,
    message: `The segment ${segment.path} is not there${more}.`,
    affectedIds: ids,
    remedy: "Bring the file back from a copy, or restore from a mirror; repair() records the loss.",
  };
}

/** What the head says was put there behind the last put that can be read. */
export function lastOnes(segment: Segment, head: SegmentHead): SequenceRange[] {
  return [...head.agents].map(([agentId, [first, last]]) => {
    const there = segment.summary(agentId);
    return [agentId, Math.max(first, (there?.lastSequence ?? 0) + 1), last];
  });
}

function rolledBack(segment: Segment, head: SegmentHead): StoreFinding {
  const { ids, more } = namedRanges(lastOnes(segment, head));
  return {
    kind: "stale",
    place: segment.path,
    message: `The segment ${segment.path} was recorded with ${head.end.length} bytes and another content: it was rolled back, cut or exchanged${more}.`,
    affectedIds: ids,
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
