import { requireCount } from "./errors.js";
import { evictInOrder, type TakenAs } from "./eviction.js";
import { capPolicy, type HistoryEntry, type RetentionPolicy } from "./policy.js";

/**
 * A cap: at most `count` checkpoints stay. Damaged ones go first, then the oldest. Protected checkpoints count, but are never
 * dropped, so more than `count` can stay.
 */
export function maxCount(count: number): RetentionPolicy {
  requireCount(count, "maxCount(count)");
  return capPolicy((kept, isProtected, drop) => {
    let excess = kept.length - count;
    const take = (entry: HistoryEntry, _: number, as: TakenAs) => {
      drop(entry, { code: "max-count", message: `More than ${count} would stay, and it is ${as}.` });
      excess -= 1;
    };
    return evictInOrder(kept, isProtected, () => excess > 0, take);
  });
}
