import type { CheckpointHeader } from "./checkpoint-header.js";
import type { AgentState } from "./store.js";

/** How many of the newest checkpoints compression keeps. */
const COMPRESSION_KEEPS_LAST = 20;

export interface ThinningRule {
  readonly compressAfter: number;
  readonly maxCheckpoints: number;
  /** Checkpoints that stay whatever the rule says: the head, pinned ones, the bases of open guards. */
  readonly protectedIds: ReadonlySet<string>;
}

export interface Thinning {
  readonly compressed: readonly string[];
  readonly overLimit: readonly string[];
}

/**
 * What to remove from a history, given oldest first. Compression, when there are more than `compressAfter`, keeps the first, the
 * last 20 and the latest of each name in between; then the oldest go until `maxCheckpoints` are left.
 */
export function thin(history: readonly CheckpointHeader[], rule: ThinningRule): Thinning {
  const compressed = history.length > rule.compressAfter ? compressible(history, rule.protectedIds) : [];
  const gone = new Set(compressed);
  const left = history.filter(({ id }) => !gone.has(id));
  const excess = Math.max(0, left.length - rule.maxCheckpoints);
  const removable = left.filter(({ id }) => !rule.protectedIds.has(id));
  return { compressed, overLimit: removable.slice(0, excess).map(({ id }) => id) };
}

function compressible(history: readonly CheckpointHeader[], protectedIds: ReadonlySet<string>): string[] {
  // The first is not part of the middle, however few there are.
  const middle = history.slice(1, Math.max(1, history.length - COMPRESSION_KEEPS_LAST));
  const latestOfName = new Map(middle.map(({ name, id }) => [name, id]));
  return middle
    .filter(({ name, id }) => latestOfName.get(name) !== id && !protectedIds.has(id))
    .map(({ id }) => id);
}

/** What no rule removes: the head, pinned checkpoints, and those that an open guard would go back to. */
export function protectedIds(agent: AgentState | undefined): ReadonlySet<string> {
  if (agent === undefined) return new Set();
  const { headId, pinnedIds, openGuards } = agent;
  const ids = [...pinnedIds, ...openGuards.map(({ checkpointId }) => checkpointId)];
  return new Set(headId === null ? ids : [headId, ...ids]);
}
