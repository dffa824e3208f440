/** What is wrong with segments, in words. */
import type { StoreFinding } from "@ckpt/core";
import type { PutEntry, StoredEntry } from "./entry.js";
import type { StoreLayout } from "./layout.js";
import type { LostNumbers } from "./replay.js";
import type { Segment } from "./segment.js";
import type { DamagedRegion, Orphan } from "./segment-scan.js";
import { asUnsafePath, isUnsafePath } from "./unsafe-path.js";
import type { WriterSegments } from "./writer-segments.js";

/** Damage that scanning a segment met. */
export function segmentFindings(segment: Segment): StoreFinding[] {
  const findings = segment.damages.map((region) => damageFinding(segment, region, []));
  if (segment.orphans.length > 0) findings.push(orphanFinding(segment, segment.orphans));
  return findings;
}

export function damageFinding(
  segment: Segment,
  { start, end, why }: DamagedRegion,
  affectedIds: readonly string[],
): StoreFinding {
  return {
    kind: "damaged",
    place: `${segment.path}:${start}`,
    message: `${end - start} bytes from offset ${start} of ${segment.path} are damaged: ${why}.`,
    affectedIds,
    remedy:
      "Restore what it held from a mirror; repair() moves the damaged file aside and keeps what can be read.",
  };
}

export function orphanFinding(segment: Segment, orphans: readonly Orphan[]): StoreFinding {
  return {
    kind: "damaged",
    place: segment.path,
    message: `Checkpoints in ${segment.path} cannot be restored, because what they are built on is damaged.`,
    affectedIds: orphans.map(({ entry }) => entry.header.id),
    remedy: "Restore an older one, or from a mirror; repair() takes them out of the lists.",
  };
}

export function supersededFinding(agentId: string, entries: readonly StoredEntry[]): StoreFinding {
  const puts = entries.filter((entry): entry is PutEntry => entry.kind === "put");
  const first = entries[0]!;
  return {
    kind: "superseded",
    place: `${first.segment.writerId}/${first.segment.number}:${first.offset}`,
    message: `${entries.length} entries of ${JSON.stringify(agentId)} from epoch ${first.epoch} on were written after a later holder had begun; they are ignored.`,
    affectedIds: puts.map(({ header }) => header.id),
    remedy: "Two processes wrote one agent at once: check that locks work on this file system.",
  };
}

/** At most so many holes in an agent's numbers are findings of their own. */
const MAX_HOLES = 100;

/** Numbers of an agent that are in no segment. Of very many, the rest are told together. */
export function lostFindings(
  layout: StoreLayout,
  agentId: string,
  lost: readonly LostNumbers[],
): StoreFinding[] {
  const findings = lost.slice(0, MAX_HOLES).map((numbers) => lostFinding(layout, agentId, numbers));
  const rest = lost.slice(MAX_HOLES);
  if (rest.length === 0) return findings;
  const { from } = rest[0]!;
  const { to } = rest[rest.length - 1]!;
  const entries = rest.reduce((sum, hole) => sum + hole.to - hole.from + 1, 0);
  const message = `${entries} more entries of ${JSON.stringify(agentId)} between ${from} and ${to} are in no segment, at ${rest.length} places; not all that they may have been are named.`;
  const affectedIds = rest.flatMap(({ ids }) => ids);
  return [...findings, { ...lostFinding(layout, agentId, rest[0]!), message, affectedIds }];
}

function lostFinding(layout: StoreLayout, agentId: string, { from, to, ids }: LostNumbers): StoreFinding {
  return {
    kind: "missing",
    place: layout.agent(agentId),
    message: `Entries ${from} to ${to} of ${JSON.stringify(agentId)} are in no segment${ids.length === 0 ? "" : `; they may have been ${ids[0]}${ids.length > 1 ? ` to ${ids.at(-1)}` : ""}`}.`,
    affectedIds: ids,
    remedy: "See the damaged or missing segment; restore from a mirror.",
  };
}

export function damagedFile(path: string): StoreFinding {
  return {
    kind: "damaged",
    place: path,
    message: `${path} cannot be read.`,
    affectedIds: [],
    remedy:
      "Nothing is lost. repair() writes it anew from what the segments say, and keeps the damaged file in quarantine.",
  };
}

/** What keeps a writer's directory, or files in it, from being read. */
export function writerFindings(path: string, writer: WriterSegments): StoreFinding[] {
  const findings = writer.place === "foreign" ? [foreignWriter(path)] : [];
  if (writer.badLease !== undefined) findings.push(badLease(path, writer.badLease));
  for (const { path, error } of writer.unreadable.values()) findings.push(unreadableSegment(path, error));
  return findings;
}

function foreignWriter(path: string): StoreFinding {
  return {
    kind: "orphaned",
    place: path,
    message: `${path} has the name of a writer's directory and is none; it was not followed.`,
    affectedIds: [],
    remedy: "Find out who put it there and remove it.",
  };
}

function badLease(path: string, error: unknown): StoreFinding {
  return {
    kind: "damaged",
    place: path,
    message: `The lease in ${path} cannot be read: ${wordsOf(asUnsafePath(error, path))}`,
    affectedIds: [],
    remedy: "Nothing is lost. The writer counts as living: what it has left is read, and not compacted.",
  };
}

export function unreadableSegment(path: string, error: unknown): StoreFinding {
  const isOdd = isUnsafePath(error);
  return {
    kind: "damaged",
    place: path,
    message: `${path} cannot be read: ${wordsOf(asUnsafePath(error, path))}`,
    affectedIds: [],
    remedy: isOdd
      ? "Find out who put it there, and bring the file back; repair() moves what is there to quarantine."
      : "Look at the system log; copy the directory to another disk. Nothing is written over it.",
  };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function foreignSegment({ path, header }: Segment): StoreFinding {
  return {
    kind: "orphaned",
    place: path,
    message: `${path} belongs to another store (${header?.storeId ?? "unknown"}); it is left out.`,
    affectedIds: [],
    remedy: "Move the file back to where it came from.",
  };
}
