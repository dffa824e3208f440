import type { CheckpointHeader, Json } from "./checkpoint-header.js";
import { parseTimestamp } from "./timestamp.js";

/** One checkpoint in the reference's dictionary form. */
export interface CheckpointDict<State = unknown> {
  readonly id: string;
  readonly name: string;
  readonly timestamp: string;
  readonly data: State;
  readonly metadata: { readonly [key: string]: Json };
}

/** The reference's summary, with its key names. */
export interface ManagerSummary<State = unknown> {
  readonly total_count: number;
  readonly unique_names: number;
  readonly names: Readonly<Record<string, number>>;
  readonly first_checkpoint: CheckpointDict<State> | null;
  readonly last_checkpoint: CheckpointDict<State> | null;
  /** From the first checkpoint's timestamp to the last one's; negative when the clock went back. */
  readonly duration_seconds: number;
}

const EMPTY: ManagerSummary<never> = Object.freeze({
  total_count: 0,
  unique_names: 0,
  names: Object.freeze({}),
  first_checkpoint: null,
  last_checkpoint: null,
  duration_seconds: 0,
});

/** Reads a state; undefined when the checkpoint was removed since it was listed. */
type Read<State> = (header: CheckpointHeader) => Promise<{ readonly data: State } | undefined>;

/** Sums a history up, oldest first; reads the states of its first and last checkpoint that are still there. */
export async function summarize<State>(
  history: readonly CheckpointHeader[],
  read: Read<State>,
): Promise<ManagerSummary<State>> {
  const first = await firstThere(history, read);
  const last = await firstThere([...history].reverse(), read);
  if (first === undefined || last === undefined) return EMPTY;
  const from = history.findIndex(({ id }) => id === first.id);
  const to = history.findLastIndex(({ id }) => id === last.id);
  const names = new Map<string, number>();
  for (const { name } of history.slice(from, to + 1)) names.set(name, (names.get(name) ?? 0) + 1);
  return {
    total_count: to - from + 1,
    unique_names: names.size,
    names: Object.fromEntries(names),
    first_checkpoint: first,
    last_checkpoint: last,
    duration_seconds: secondsBetween(first.timestamp, last.timestamp),
  };
}

async function firstThere<State>(
  history: readonly CheckpointHeader[],
  read: Read<State>,
): Promise<CheckpointDict<State> | undefined> {
  for (const header of history) {
    const { id, name, timestamp, metadata } = header;
    const state = await read(header);
    if (state !== undefined) return { id, name, timestamp, data: state.data, metadata };
  }
  return undefined;
}

function secondsBetween(from: string, to: string): number {
  const start = parseTimestamp(from);
  const end = parseTimestamp(to);
  return start === undefined || end === undefined ? 0 : Number(end - start) / 1_000_000;
}
