import { requireCount } from "./errors.js";
import { keepPolicy, type RetentionPolicy } from "./policy.js";
import { endsStep } from "./steps.js";

/** Keeps the newest `count` checkpoints, by sequence. */
export function keepLast(count: number): RetentionPolicy {
  requireCount(count, "keepLast(count)");
  return keepPolicy(function* ({ entries, damagedLeftOut }, keep) {
    const latest = damagedLeftOut ? "latest intact one" : "latest";
    const end = Math.min(entries.length, count);
    for (let back = 0; back < end; back++) {
      if (endsStep(back)) yield;
      const message =
        back === 0 ? `It is the ${latest}.` : `It is the ${latest} but ${back}, of ${count} kept.`;
      keep(entries[entries.length - 1 - back]!, { code: "keep-last", message });
    }
  });
}
