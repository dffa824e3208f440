/** The heads of a dead writer that are damaged, or name what is not there any more. */
import { classify } from "@ckpt/io";
import { lastOnes } from "./head-check.js";
import { type SegmentHead, writeHeads } from "./heads.js";
import { segmentKey } from "./layout.js";
import { quarantineFile, recordLoss } from "./quarantine.js";
import type { RepairContext, RepairStep } from "./repair.js";
import type { Segment } from "./segment.js";
import type { WriterSegments } from "./writer-segments.js";

export async function headSteps(context: RepairContext, writer: WriterSegments): Promise<RepairStep[]> {
  const { fs, layout, catalog } = context;
  const findings = await catalog.directory.headFindings(writer);
  const wrong = findings.filter(({ kind }) => kind !== "stale" || writer.heads !== "damaged");
  if (wrong.length === 0 && writer.heads !== "damaged") return [];
  const place = layout.headsFile(writer.writerId);
  const lostIds = findings.flatMap(({ affectedIds }) => affectedIds);
  const run = async () => {
    let moved: string | undefined;
    if (writer.heads === "damaged") moved = await quarantineFile(fs, layout, place);
    else {
      const why = findings.map(({ message }) => message);
      await recordLoss(fs, layout, { segment: { writerId: writer.writerId, number: 1 }, why, lostIds });
    }
    const segments = [...writer.segments.values()].filter((segment) => !segment.isMissing);
    const heads = [...segments.map(headOf), ...lostHeads(context, writer)];
    await writeHeads(fs, layout, writer.writerId, heads).catch((error: unknown) => {
      // A writer whose directory is about to go needs no heads.
      if (classify(error) !== "not-found") throw error;
    });
    return moved;
  };
  const message =
    "The heads are written anew from the segments, and what they named and is gone is written down as lost.";
  return [{ action: { kind: "rebuild", place, message }, run }];
}

/** What heads have named and nothing else tells of: it is missed no more, and its sequences stay used. */
function lostHeads({ catalog }: RepairContext, writer: WriterSegments): SegmentHead[] {
  const { heads, writerId } = writer;
  const lost: SegmentHead[] = [];
  for (const head of typeof heads === "string" ? [] : heads) {
    const { number } = head;
    const segment = writer.segments.get(number);
    if (head.isLost) lost.push(head);
    else if (catalog.directory.isReplaced(segmentKey({ writerId, number }))) continue;
    else if (segment === undefined) lost.push({ ...head, isLost: true });
    else {
      const last = lastOnes(segment, head).filter(([, first, last]) => last >= first);
      const agents = new Map(last.map(([agentId, first, last]) => [agentId, [first, last] as const]));
      if (agents.size > 0) lost.push({ ...head, agents, isLost: true });
    }
  }
  return lost;
}

function headOf(segment: Segment): SegmentHead {
  const agents = new Map<string, readonly [number, number]>();
  for (const agentId of segment.agentIds()) {
    const sum = segment.summary(agentId);
    if (sum !== undefined && sum.firstSequence > 0)
      agents.set(agentId, [sum.firstSequence, sum.lastSequence]);
  }
  return { number: segment.number, end: segment.end, sealed: true, agents };
}
