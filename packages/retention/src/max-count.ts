import { requireCount } from "./errors.js";
import { capPolicy, type RetentionPolicy } from "./policy.js";

/**
 * A cap: at most `count` checkpoints stay, the newest ones; the oldest go first. Protected checkpoints count, but are never
 * dropped, so more than `count` can stay.
 */
export function maxCount(count: number): RetentionPolicy {
  requireCount(count, "maxCount(count)");
  return capPolicy((kept, isProtected, drop) => {
    let excess = kept.length - count;
    for (const entry of kept) {
      if (excess <= 0) return;
      if (isProtected(entry)) continue;
      drop(entry, {
        code: "max-count",
        message: `More than ${count} would stay, and it is among the oldest.`,
      });
      excess -= 1;
    }
  });
}
