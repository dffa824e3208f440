/** What compaction takes, and what it must keep: docs/format.md, "Compacting". Reads only. */
import { throwIfAborted } from "@ckpt/core";
import type { Slices } from "@ckpt/io";
import type { Catalog } from "./catalog.js";
import type { PutEntry, SequenceMark, StoredEntry } from "./entry.js";
import { noPlace } from "./no-place.js";
import { mergeRanges } from "./number-ranges.js";
import type { Replayed } from "./replay.js";
import type { Segment } from "./segment.js";
import { keptRetractions } from "./taken-back.js";

/** Everything that the sources hold of one agent and that must live on, besides its checkpoints. */
export interface CompactionPlan {
  readonly sources: readonly Segment[];
  /** Visible checkpoints in each source, in the order of the file. */
  readonly puts: ReadonlyMap<Segment, readonly PutEntry[]>;
  /** Removals, events and marks to keep, per agent. */
  readonly facts: ReadonlyMap<string, readonly StoredEntry[]>;
}

export interface PlanOptions {
  readonly salvage: boolean;
  readonly slices: Slices;
  readonly signal: AbortSignal | undefined;
}

/**
 * Plans to replace `sources`. With `salvage`, numbers that are lost are counted as seen, so that a loss that was reported and recorded
 * is not reported for ever.
 */
export async function planCompaction(
  catalog: Catalog,
  sources: readonly Segment[],
  { salvage, slices, signal }: PlanOptions,
): Promise<CompactionPlan> {
  const taken = new Set<unknown>(sources);
  const puts = new Map<Segment, PutEntry[]>(sources.map((source) => [source, []]));
  const facts = new Map<string, StoredEntry[]>();
  for (const agentId of salvage ? catalog.agentIds() : agentsOf(sources)) {
    throwIfAborted(signal, "compact");
    const replayed = await catalog.replay(agentId);
    for (const put of replayed.history.puts) puts.get(put.segment as Segment)?.push(put);
    const marks = replayed.marks.filter((mark) => taken.has(mark.segment));
    const mine = replayed.entries.filter((entry) => taken.has(entry.segment));
    const retractions = await keptRetractions(catalog, agentId, mine, taken);
    facts.set(agentId, await keptFacts(replayed, { mine, marks, taken, retractions, salvage, slices }));
    const pause = slices.pause();
    if (pause !== undefined) await pause;
  }
  for (const list of puts.values())
    list.sort((a, b) => a.offset - b.offset || a.sectionOffset - b.sectionOffset);
  return { sources, puts, facts };
}

function agentsOf(sources: readonly Segment[]): Set<string> {
  return new Set(sources.flatMap((source) => [...source.agentIds()]));
}

/** What the sources hold of one agent. */
interface SourceFacts {
  readonly mine: readonly StoredEntry[];
  readonly marks: readonly SequenceMark[];
  readonly taken: ReadonlySet<unknown>;
  readonly retractions: readonly StoredEntry[];
  readonly salvage: boolean;
  readonly slices: Slices;
}

async function keptFacts(
  { history, entries, lost }: Replayed,
  { mine, marks, taken, retractions, salvage, slices }: SourceFacts,
): Promise<StoredEntry[]> {
  const live = history.liveEvents.filter((event) => taken.has(event.segment));
  const kept: StoredEntry[] = [...retractions, ...live];
  const { headEntry, headId } = history;
  if (headEntry !== undefined && headId === null && needsGone(headEntry, mine, taken)) {
    const { agentId, epoch, n } = headEntry;
    kept.push({ kind: "gone", agentId, epoch, n, ...noPlace() });
  }
  // Also where a later save is the head: should that be lost to damage, a rollback before it must not be undone by it.
  const move = lastMove(entries, history);
  if (move !== undefined && taken.has(move.segment)) kept.push(move);
  const last =
    mine[mine.length - 1] ?? marks[marks.length - 1] ?? (salvage ? lastLost(history, lost) : undefined);
  if (last === undefined) return kept;
  // What lives on in an output is not among them, so that its loss there is noticed later. A salvage finds out only while
  // copying what it can keep, and names the rest itself.
  const living = new Set<StoredEntry>(salvage ? [] : [...history.puts, ...kept]);
  const gone: [number, number][] = [];
  let { epoch, n } = last;
  let lastSequence = 0;
  for (const entry of mine) {
    lastSequence = Math.max(lastSequence, sequenceOf(entry));
    const pause = slices.pause();
    if (pause !== undefined) await pause;
    if (living.has(entry)) continue;
    const range = gone[gone.length - 1];
    if (range?.[1] === entry.n - 1) range[1] = entry.n;
    else gone.push([entry.n, entry.n]);
  }
  for (const mark of marks) {
    epoch = Math.max(epoch, mark.epoch);
    n = Math.max(n, mark.n);
    lastSequence = Math.max(lastSequence, mark.lastSequence);
  }
  const seen = mergeRanges([
    ...gone,
    ...marks.flatMap((mark) => mark.seen),
    ...(salvage ? lost.map(({ from, to }) => [from, to] as const) : []),
  ]);
  kept.push({ kind: "sequence", agentId: last.agentId, epoch, n, lastSequence, seen, ...noPlace() });
  return kept;
}

/**
 * Whether the word that took the head away would be lost: with its segment, or with what it removed. A removal that finds nothing to
 * remove says nothing about the head, so a copy of that word goes along with the sources that may have held it.
 */
function needsGone(word: StoredEntry, mine: readonly StoredEntry[], taken: ReadonlySet<unknown>): boolean {
  return taken.has(word.segment) || (word.kind !== "gone" && mine.length > 0);
}

/** The last event that moved the head to a checkpoint that is still there. */
function lastMove(entries: readonly StoredEntry[], history: Replayed["history"]): StoredEntry | undefined {
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i]!;
    if (entry.kind !== "event" || entry.event.kind !== "head") continue;
    if (history.find(entry.event.checkpointId) !== undefined) return entry;
  }
  return undefined;
}

/** Of an agent that the sources hold nothing of, but of which something is lost. */
function lastLost({ agentId, epoch }: Replayed["history"], lost: Replayed["lost"]) {
  const n = lost[lost.length - 1]?.to;
  return n === undefined ? undefined : { agentId, epoch, n };
}

function sequenceOf(entry: StoredEntry): number {
  return entry.kind === "put" ? entry.header.sequence : 0;
}
