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

/** Sums a history up, oldest first; reads the states of its first and last checkpoint. */
export async function summarize<State>(
  history: readonly CheckpointHeader[],
  read: (header: CheckpointHeader) => Promise<State>,
): Promise<ManagerSummary<State>> {
  const names = new Map<string, number>();
  for (const { name } of history) names.set(name, (names.get(name) ?? 0) + 1);
  const first = history[0];
  const last = history.at(-1);
  return {
    total_count: history.length,
    unique_names: names.size,
    names: Object.fromEntries(names),
    first_checkpoint: first === undefined ? null : await toDict(first, read),
    last_checkpoint: last === undefined ? null : await toDict(last, read),
    duration_seconds: first && last ? secondsBetween(first.timestamp, last.timestamp) : 0,
  };
}

async function toDict<State>(
  header: CheckpointHeader,
  read: (header: CheckpointHeader) => Promise<State>,
): Promise<CheckpointDict<State>> {
  const { id, name, timestamp, metadata } = header;
  return { id, name, timestamp, data: await read(header), metadata };
}

function secondsBetween(from: string, to: string): number {
  const start = parseTimestamp(from);
  const end = parseTimestamp(to);
  return start === undefined || end === undefined ? 0 : Number(end - start) / 1_000_000;
}
