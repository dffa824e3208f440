import type { History, HistoryEntry, Reason, RetentionPolicy } from "./policy.js";
import type { Reasons } from "./reasons.js";
import { endsStep, filterInSteps, stepsOf } from "./steps.js";

const asIfWhole = ({ code, message }: Reason): Reason => ({
  code,
  message: `Damaged, kept for a repair as if it were whole: ${message}`,
});

/**
 * Notes what the keep rules select. Each rule sees the intact checkpoints alone, so that its promise holds in copies that restore; and
 * then all of them, so that a damaged one stays, for a repair, as long as it would have stayed whole.
 */
export function* applyKeeps(
  history: History,
  policy: RetentionPolicy,
  reasons: Reasons,
): Generator<void, void> {
  const intact = yield* filterInSteps(history.entries, (entry) => !entry.damaged);
  const damagedLeftOut = intact.length < history.entries.length;
  const sound: History = damagedLeftOut ? { ...history, entries: intact, damagedLeftOut } : history;
  for (const rule of policy.keeps) {
    yield* stepsOf(rule.select(sound, (entry, reason) => reasons.add(entry, reason)));
    yield;
    if (!damagedLeftOut) continue;
    const keep = (entry: HistoryEntry, reason: Reason) => {
      if (entry.damaged) reasons.add(entry, asIfWhole(reason));
      // An intact one has its reason among the intact: its rank among all would contradict that.
      else if (!reasons.has(entry)) reasons.add(entry, reason);
    };
    yield* stepsOf(rule.select(history, keep));
    yield;
  }
  yield* keepUncovered(history, policy, reasons);
}

function* keepUncovered(
  { entries }: History,
  { keeps, caps }: RetentionPolicy,
  reasons: Reasons,
): Generator<void, void> {
  for (let i = 0; i < entries.length; i++) {
    if (endsStep(i)) yield;
    const { header } = entries[i]!;
    if (keeps.some((rule) => rule.covers(header))) continue;
    const message = caps.some((rule) => rule.covers(header))
      ? "No keep rule covers it, and it is within the caps."
      : "No rule of the policy covers it.";
    reasons.add(entries[i]!, { code: "not-covered", message });
  }
}
