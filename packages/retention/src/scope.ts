import type { CheckpointHeader } from "@ckpt/core";
import type { CapRule, History, HistoryEntry, KeepRule, RetentionPolicy } from "./policy.js";

/** Splits what a rule sees into the parts on which it works apart from each other. */
type Split = (entries: readonly HistoryEntry[]) => Iterable<readonly HistoryEntry[]>;

function scoped(
  policy: RetentionPolicy,
  covers: (header: CheckpointHeader) => boolean,
  split: Split,
): RetentionPolicy {
  return {
    keeps: policy.keeps.map(
      (rule): KeepRule => ({
        covers: (header) => covers(header) && rule.covers(header),
        select: (history: History, keep) => {
          for (const entries of split(history.entries)) rule.select({ ...history, entries }, keep);
        },
      }),
    ),
    caps: policy.caps.map(
      (rule): CapRule => ({
        covers: (header) => covers(header) && rule.covers(header),
        evict: (kept, isProtected, drop) => {
          for (const entries of split(kept)) rule.evict(entries, isProtected, drop);
        },
      }),
    ),
  };
}

const matching =
  (covers: (header: CheckpointHeader) => boolean): Split =>
  (entries) => [entries.filter((entry) => covers(entry.header))];

/** The policy, for checkpoints of this name (or these names together) only. It says nothing about the others. */
export function forName(name: string | readonly string[], policy: RetentionPolicy): RetentionPolicy {
  const names = new Set(typeof name === "string" ? [name] : name);
  const covers = (header: CheckpointHeader) => names.has(header.name);
  return scoped(policy, covers, matching(covers));
}

/** The policy, for checkpoints of all names but these, together. */
export function forOtherNames(names: readonly string[], policy: RetentionPolicy): RetentionPolicy {
  const excluded = new Set(names);
  const covers = (header: CheckpointHeader) => !excluded.has(header.name);
  return scoped(policy, covers, matching(covers));
}

/** The policy, for each name by itself: `perName(keepLast(2))` keeps the latest two of every name. */
export function perName(policy: RetentionPolicy): RetentionPolicy {
  const split: Split = (entries) => {
    const groups = new Map<string, HistoryEntry[]>();
    for (const entry of entries) {
      const group = groups.get(entry.header.name);
      if (group === undefined) groups.set(entry.header.name, [entry]);
      else group.push(entry);
    }
    return groups.values();
  };
  return scoped(policy, () => true, split);
}
