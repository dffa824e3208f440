import { requireCount } from "./errors.js";
import { keepPolicy, type RetentionPolicy } from "./policy.js";

/** Keeps the newest `count` checkpoints, by sequence. */
export function keepLast(count: number): RetentionPolicy {
  requireCount(count, "keepLast(count)");
  return keepPolicy(({ entries }, keep) => {
    const start = Math.max(0, entries.length - count);
    for (let i = entries.length - 1; i >= start; i--) {
      const rank = entries.length - i;
      const message =
        rank === 1 ? "It is the latest." : `It is the latest but ${rank - 1}, of ${count} kept.`;
      keep(entries[i]!, { code: "keep-last", message });
    }
  });
}
