import type { HistoryEntry } from "./policy.js";
import { endsStep } from "./steps.js";

/** Why this one goes and not another. */
export type TakenAs = "damaged" | "among the oldest";

/**
 * The order in which every cap takes, until nothing is over or only protected ones are left: damaged checkpoints first, since what
 * cannot be restored must not cost a copy that can, and then the rest, each oldest first.
 */
export function* evictInOrder(
  kept: readonly HistoryEntry[],
  isProtected: (entry: HistoryEntry) => boolean,
  isOver: () => boolean,
  take: (entry: HistoryEntry, index: number, as: TakenAs) => void,
): Generator<void, void> {
  for (const damaged of [true, false]) {
    for (let i = 0; i < kept.length && isOver(); i++) {
      if (endsStep(i)) yield;
      const entry = kept[i]!;
      if (entry.damaged === damaged && !isProtected(entry)) {
        take(entry, i, damaged ? "damaged" : "among the oldest");
      }
    }
  }
}
