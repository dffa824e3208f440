import type { CheckpointHeader } from "@ckpt/core";
import { type ById, numberOf } from "./by-id.js";
import { countBefore } from "./by-sequence.js";
import type { HistoryEntry } from "./policy.js";
import { endsStep } from "./steps.js";

/** What a checkpoint was continued from is older than this, where its parent was removed. */
function endOfGap({ sequence }: CheckpointHeader, parentId: string): number {
  const removed = numberOf(parentId);
  return Number.isSafeInteger(removed) ? Math.min(removed, sequence) : sequence;
}

/** What a recovery tries after this checkpoint: its parent or, where that was removed, the newest older than the parent was. */
function ancestor(
  { header }: HistoryEntry,
  entries: readonly HistoryEntry[],
  byId: ById,
): HistoryEntry | undefined {
  if (header.parentId === null) return undefined;
  const parent = byId.get(header.parentId);
  // Only ever back, so that a lineage that runs in a circle comes to an end.
  if (parent !== undefined && parent.header.sequence < header.sequence) return parent;
  return entries[countBefore(entries, endOfGap(header, header.parentId)) - 1];
}

/** The way that a recovery goes back from a damaged checkpoint. */
export interface WayBack {
  /** The damaged ancestors that it passes. */
  readonly damaged: ReadonlySet<HistoryEntry>;
  /** The newest intact ancestor: where it ends. Undefined when none is intact. */
  readonly intact: HistoryEntry | undefined;
}

/** The way back from a damaged checkpoint. */
export function* wayBack(
  from: HistoryEntry,
  entries: readonly HistoryEntry[],
  byId: ById,
): Generator<void, WayBack> {
  const damaged = new Set<HistoryEntry>();
  for (let at = ancestor(from, entries, byId); at !== undefined; at = ancestor(at, entries, byId)) {
    if (!at.damaged) return { damaged, intact: at };
    if (endsStep(damaged.size)) yield;
    damaged.add(at);
  }
  return { damaged, intact: undefined };
}
