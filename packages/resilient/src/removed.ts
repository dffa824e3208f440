import type { CheckpointHeader, StoreEntry } from "@ckpt/core";

/**
 * Checkpoints that were removed while a place was out that may still have them: each id with the sequence that the agent had reached
 * by then. A checkpoint that is put under the same id later (an import) is another one, and stands.
 */
export type Removed = ReadonlyMap<string, number>;

export const NONE_REMOVED: Removed = new Map();

/** Whether the removal of its id was meant for this one. */
export function isRemoved(removed: Removed, { id, sequence }: CheckpointHeader): boolean {
  const upTo = removed.get(id);
  return upTo !== undefined && sequence <= upTo;
}

/** `removed` and what a batch removes of the agent, whose last sequence before it was `lastSequence`. The same object where that is nothing. */
export function withRemovals(
  removed: Removed,
  agentId: string,
  lastSequence: number,
  entries: readonly StoreEntry[],
): Removed {
  let upTo = lastSequence;
  let more: Map<string, number> | undefined;
  for (const entry of entries) {
    if (entry.op === "put") {
      if (entry.header.agentId === agentId) upTo = Math.max(upTo, entry.header.sequence);
    } else if (entry.op === "remove" && entry.agentId === agentId) {
      more ??= new Map(removed);
      for (const id of entry.ids) more.set(id, upTo);
    }
  }
  return more ?? removed;
}
