import type { CheckpointHeader } from "@ckpt/core";
import { requirePolicy } from "./errors.js";
import type { CapRule, HistoryEntry, KeepRule, RetentionPolicy } from "./policy.js";
import { eachInSteps, endsStep, filterInSteps } from "./steps.js";

type Entries = readonly HistoryEntry[];

/** Splits what a rule sees, in steps, into the parts on which it works apart from each other. */
type Split = (entries: Entries) => Generator<void, Iterable<Entries>>;

function scoped(
  who: string,
  policy: RetentionPolicy,
  covers: (header: CheckpointHeader) => boolean,
  split: Split,
): RetentionPolicy {
  requirePolicy(policy, who);
  return {
    keeps: policy.keeps.map(
      (rule): KeepRule => ({
        covers: (header) => covers(header) && rule.covers(header),
        *select(history, keep) {
          const parts = yield* split(history.entries);
          yield* eachInSteps(parts, (entries) => rule.select({ ...history, entries }, keep));
        },
      }),
    ),
    caps: policy.caps.map(
      (rule): CapRule => ({
        covers: (header) => covers(header) && rule.covers(header),
        *evict(kept, isProtected, drop) {
          const parts = yield* split(kept);
          yield* eachInSteps(parts, (entries) => rule.evict(entries, isProtected, drop));
        },
      }),
    ),
  };
}

function matching(covers: (header: CheckpointHeader) => boolean): Split {
  return function* (entries) {
    return [yield* filterInSteps(entries, (entry) => covers(entry.header))];
  };
}

/** The policy, for checkpoints of this name (or these names together) only. It says nothing about the others. */
export function forName(name: string | readonly string[], policy: RetentionPolicy): RetentionPolicy {
  const names = new Set(typeof name === "string" ? [name] : name);
  const covers = (header: CheckpointHeader) => names.has(header.name);
  return scoped("forName", policy, covers, matching(covers));
}

/** The policy, for checkpoints of all names but these, together. */
export function forOtherNames(names: readonly string[], policy: RetentionPolicy): RetentionPolicy {
  const excluded = new Set(names);
  const covers = (header: CheckpointHeader) => !excluded.has(header.name);
  return scoped("forOtherNames", policy, covers, matching(covers));
}

function* byName(entries: Entries): Generator<void, Iterable<Entries>> {
  const groups = new Map<string, HistoryEntry[]>();
  for (let i = 0; i < entries.length; i++) {
    if (endsStep(i)) yield;
    const entry = entries[i]!;
    const group = groups.get(entry.header.name);
    if (group === undefined) groups.set(entry.header.name, [entry]);
    else group.push(entry);
  }
  return groups.values();
}

/** The policy, for each name by itself: `perName(keepLast(2))` keeps the latest two of every name. */
export function perName(policy: RetentionPolicy): RetentionPolicy {
  return scoped("perName", policy, () => true, byName);
}
