import type { History, HistoryEntry, RetentionPolicy } from "./policy.js";
import type { Protection } from "./protect.js";
import { Reasons } from "./reasons.js";
import { filterInSteps, stepsOf } from "./steps.js";

/** What the caps take of the kept, with the reasons: one cap after the other, each over what those before it left. */
export function* applyCaps(
  { entries }: History,
  policy: RetentionPolicy,
  kept: Reasons,
  protection: Protection,
): Generator<void, Reasons> {
  const evicted = new Reasons(entries);
  const isProtected = (entry: HistoryEntry) => protection.entries.has(entry);
  for (const rule of policy.caps) {
    const within = yield* filterInSteps(
      entries,
      (entry) =>
        kept.has(entry) &&
        !evicted.has(entry) &&
        !protection.uncounted.has(entry) &&
        rule.covers(entry.header),
    );
    const steps = rule.evict(within, isProtected, (entry, reason) => {
      if (!isProtected(entry)) evicted.add(entry, reason);
    });
    yield* stepsOf(steps);
    yield;
  }
  return evicted;
}
