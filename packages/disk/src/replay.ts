/** From the entries of all segments to one history: docs/format.md, "Reading a history". Pure. */
import { AgentHistory } from "./agent-history.js";
import { compareKeys, type SequenceMark, type StoredEntry } from "./entry.js";

/** Numbers that no segment has and no compaction dropped: something was lost there. */
export interface LostNumbers {
  readonly from: number;
  readonly to: number;
  /** Ids of the checkpoints that they may have been, as far as the sequences around them tell. */
  readonly ids: readonly string[];
}

export interface Replayed {
  readonly history: AgentHistory;
  /** All entries that count, in order. */
  readonly entries: readonly StoredEntry[];
  /** Entries of a former holder behind the first of a later one. */
  readonly superseded: readonly StoredEntry[];
  readonly lost: readonly LostNumbers[];
}

/** At most so many ids are named for one hole; a message says the range as well. */
const MAX_NAMED = 1000;

export function replay(agentId: string, found: readonly StoredEntry[]): Replayed {
  // A sequence mark stands beside the entry whose key it has, not in its place.
  const marks = found.filter((entry) => entry.kind === "sequence");
  const { entries, superseded } = settle(found.filter((entry) => entry.kind !== "sequence"));
  const history = new AgentHistory(agentId);
  for (const entry of entries) history.apply(entry);
  for (const mark of marks) history.apply(mark);
  return { history, entries, superseded, lost: lostNumbers(agentId, entries, marks) };
}

/** Sorts, drops copies, and separates what a higher epoch has overtaken. */
function settle(found: readonly StoredEntry[]): { entries: StoredEntry[]; superseded: StoredEntry[] } {
  const sorted = [...found].sort(compareEntries);
  const entries: StoredEntry[] = [];
  const superseded: StoredEntry[] = [];
  // From the newest epoch down: each epoch begins where everything below it ends.
  let limit = Number.POSITIVE_INFINITY;
  let firstOfEpoch = Number.POSITIVE_INFINITY;
  for (let i = sorted.length - 1; i >= 0; i--) {
    const entry = sorted[i]!;
    const later = sorted[i + 1];
    if (later !== undefined && later.epoch !== entry.epoch) limit = Math.min(limit, firstOfEpoch);
    firstOfEpoch = Math.min(firstOfEpoch, entry.n);
    const last = entries[entries.length - 1];
    if (entry.n >= limit) superseded.push(entry);
    else if (last === undefined || compareEntries(last, entry) !== 0) entries.push(entry);
  }
  return { entries: entries.reverse(), superseded: superseded.reverse() };
}

/** A mark of something gone stands behind the entry whose key it has. */
function compareEntries(a: StoredEntry, b: StoredEntry): number {
  return compareKeys(a, b) || Number(a.kind === "gone") - Number(b.kind === "gone");
}

function lostNumbers(
  agentId: string,
  entries: readonly StoredEntry[],
  marks: readonly SequenceMark[],
): LostNumbers[] {
  const seen = marks.flatMap((mark) => mark.seen);
  const lost: LostNumbers[] = [];
  let expected = 1;
  let lastSequence = 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.n > expected) {
      for (const [from, to] of without(expected, entry.n - 1, seen)) {
        lost.push({ from, to, ids: between(agentId, lastSequence, nextSequence(entries, i), to - from + 1) });
      }
    }
    expected = Math.max(expected, entry.n + 1);
    if (entry.kind === "put") lastSequence = Math.max(lastSequence, entry.header.sequence);
  }
  return lost;
}

function nextSequence(entries: readonly StoredEntry[], from: number): number {
  for (let i = from; i < entries.length; i++) {
    const entry = entries[i]!;
    if (entry.kind === "put") return entry.header.sequence;
  }
  return Number.POSITIVE_INFINITY;
}

/** The numbers from..to without the ranges. */
function without(
  from: number,
  to: number,
  ranges: readonly (readonly [number, number])[],
): [number, number][] {
  const left: [number, number][] = [];
  let at = from;
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (end < at || start > to) continue;
    if (start > at) left.push([at, start - 1]);
    at = Math.max(at, end + 1);
  }
  if (at <= to) left.push([at, to]);
  return left;
}

/** Ids of the sequences between two known ones. */
export function between(agentId: string, after: number, before: number, most: number): string[] {
  const ids: string[] = [];
  const last = Math.min(before - 1, after + Math.min(most, MAX_NAMED));
  for (let sequence = after + 1; sequence <= last; sequence++) ids.push(`${agentId}:${sequence}`);
  return ids;
}
