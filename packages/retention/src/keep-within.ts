import { type Duration, describeMs, durationMs } from "./duration.js";
import { keepPolicy, type RetentionPolicy } from "./policy.js";
import { endsStep } from "./steps.js";

/**
 * Keeps checkpoints that are at most `duration` old. Ages are measured from the larger of the wall clock and the newest
 * stored time. A checkpoint whose time cannot be read is kept, and all are while age rules are suspended (a clock that jumped).
 */
export function keepWithin(duration: Duration): RetentionPolicy {
  const limitMs = durationMs(duration);
  const limit = describeMs(limitMs);
  return keepPolicy(function* ({ entries, nowMs, ageSuspended }, keep) {
    for (let i = 0; i < entries.length; i++) {
      if (endsStep(i)) yield;
      const entry = entries[i]!;
      const ageMs = nowMs - entry.timeMs;
      if (ageMs <= limitMs) {
        keep(entry, { code: "keep-within", message: `It is at most ${limit} old.` });
      } else if (ageSuspended) {
        keep(entry, {
          code: "age-suspended",
          message: "The clock is not trusted: nothing is dropped for its age now.",
        });
      } else if (Number.isNaN(ageMs)) {
        keep(entry, { code: "keep-within", message: "Its timestamp cannot be read, so its age is unknown." });
      }
    }
  });
}
