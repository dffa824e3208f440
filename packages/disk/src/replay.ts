/** From the entries of all segments to one history: docs/format.md, "Reading a history". Reads nothing, and takes its time in slices. */
import { Slices } from "@ckpt/io";
import { AgentHistory } from "./agent-history.js";
import { compareKeys, type SequenceMark, type StoredEntry } from "./entry.js";
import { between, MAX_NAMED, MAX_NAMED_IN_ALL } from "./named-ids.js";
import { Uncovered } from "./number-ranges.js";

/** Numbers that no segment has and no compaction dropped: something was lost there. */
export interface LostNumbers {
  readonly from: number;
  readonly to: number;
  /** Ids of the checkpoints that they may have been, as far as the sequences around them tell; of very many holes not all have some. */
  readonly ids: readonly string[];
}

export interface Replayed {
  readonly history: AgentHistory;
  /** All entries that count, in order. */
  readonly entries: readonly StoredEntry[];
  /** Entries of a former holder behind the first of a later one. */
  readonly superseded: readonly StoredEntry[];
  readonly lost: readonly LostNumbers[];
  /** What compactions have left of numbers that are gone; they stand beside the entries. */
  readonly marks: readonly SequenceMark[];
}

export async function replay(agentId: string, found: readonly StoredEntry[]): Promise<Replayed> {
  const slices = new Slices();
  // A sequence mark stands beside the entry whose key it has, not in its place.
  const marks = found.filter((entry) => entry.kind === "sequence");
  const { entries, superseded } = settle(found.filter((entry) => entry.kind !== "sequence"));
  const history = new AgentHistory(agentId);
  for (const entry of entries) {
    history.apply(entry);
    const pause = slices.pause();
    if (pause !== undefined) await pause;
  }
  for (const mark of marks) history.apply(mark);
  return { history, entries, superseded, lost: lostNumbers(agentId, entries, marks), marks };
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
  const uncovered = new Uncovered(marks.flatMap((mark) => mark.seen));
  const lost: LostNumbers[] = [];
  const before = { n: 0, sequence: 0 };
  const end = endOf(marks);
  const nextPuts = new NextPuts(entries, end);
  let named = 0;
  // What comes after a hole is looked up only for those that a compaction has not left: they may be many.
  const note = (to: number, after: () => Known) => {
    for (const [first, last] of uncovered.within(before.n + 1, to - 1)) {
      const most = MAX_NAMED_IN_ALL - named;
      const ids = most > 0 ? lostIds(agentId, before, after(), first, last).slice(0, most) : NO_IDS;
      named += ids.length;
      lost.push({ from: first, to: last, ids });
    }
  };
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (entry.n > before.n + 1) note(entry.n, () => nextPuts.from(i));
    before.n = Math.max(before.n, entry.n);
    if (entry.kind === "put") before.sequence = Math.max(before.sequence, entry.header.sequence);
  }
  // A mark says how far the agent had got: what is missing up to there is lost as well.
  if (end.n > before.n + 1) note(end.n, () => end);
  return lost;
}

const NO_IDS: readonly string[] = [];

/** An entry beside a hole: its number, and the sequence reached by then. */
interface Known {
  readonly n: number;
  readonly sequence: number;
}

/**
 * The ids that the numbers from..to may have been. Where sequences rise no faster than numbers around the hole, none was left out
 * there, and the distance from both sides narrows them down.
 */
function lostIds(agentId: string, before: Known, after: Known, from: number, to: number): string[] {
  if (!Number.isFinite(after.sequence)) {
    return between(agentId, before.sequence, after.sequence, to - before.n);
  }
  if (after.sequence - before.sequence > after.n - before.n) {
    return between(agentId, before.sequence, after.sequence, MAX_NAMED);
  }
  const least = Math.max(before.sequence, after.sequence - (after.n - from) - 1);
  const most = Math.min(after.sequence, before.sequence + (to - before.n) + 1);
  return between(agentId, least, most, MAX_NAMED);
}

/** The put after a place, asked for in the order of the entries: all questions together cost one pass. */
class NextPuts {
  readonly #entries: readonly StoredEntry[];
  readonly #end: Known;
  #at = 0;

  constructor(entries: readonly StoredEntry[], end: Known) {
    this.#entries = entries;
    this.#end = end;
  }

  /** The next put from `entries[from]` on; behind the last one, what the marks say. */
  from(from: number): Known {
    this.#at = Math.max(this.#at, from);
    while (this.#at < this.#entries.length && this.#entries[this.#at]!.kind !== "put") this.#at++;
    const put = this.#entries[this.#at];
    if (put?.kind === "put") return { n: put.n, sequence: put.header.sequence };
    const { n } = this.#entries[from]!;
    return this.#end.n > n ? this.#end : { n, sequence: Number.POSITIVE_INFINITY };
  }
}

/** Behind everything that the marks speak of. */
function endOf(marks: readonly SequenceMark[]): Known {
  let n = 0;
  let sequence = 0;
  for (const mark of marks) {
    n = Math.max(n, mark.n);
    sequence = Math.max(sequence, mark.lastSequence);
  }
  return { n: n + 1, sequence: sequence + 1 };
}
