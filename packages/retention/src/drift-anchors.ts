import { countBefore } from "./by-sequence.js";
import { emptyPolicy, requireCount } from "./errors.js";
import { type History, type HistoryEntry, keepPolicy, type Reason, type RetentionPolicy } from "./policy.js";
import { endsStep } from "./steps.js";

export interface DriftAnchorOptions {
  /** Distances from the newest checkpoint, in saves. Default: 10, 100 and 1,000. */
  readonly savesBack?: readonly number[];
}

type Keep = (entry: HistoryEntry, reason: Reason) => void;

function* anchorAt(history: History, distance: number, keep: Keep): Generator<void, void> {
  const { entries, newestSequence, damagedLeftOut } = history;
  const start = countBefore(entries, newestSequence - distance + 1);
  const stride = Math.max(1, Math.floor(distance / 2));
  let bucket = Number.NaN;
  for (let i = start; i < entries.length; i++) {
    if (endsStep(i)) yield;
    const entry = entries[i]!;
    const ownBucket = Math.floor(entry.header.sequence / stride);
    if (ownBucket === bucket) continue;
    bucket = ownBucket;
    keep(entry, { code: "drift-anchor-next", message: `It is to become the anchor ${distance} saves back.` });
  }
  const anchor = entries[start - 1];
  if (anchor === undefined) return;
  const newest = damagedLeftOut ? "newest intact one" : "newest";
  keep(anchor, { code: "drift-anchor", message: `It is the ${newest} at least ${distance} saves back.` });
}

/**
 * Keeps points to return to when drift is noticed late: for each distance the newest checkpoint at least that many saves
 * back, and the newest from before each open suspicion (`context.suspectedSince`).
 *
 * An anchor only stays near its distance when something is there to take its place as the history grows. So on the way
 * to each distance one checkpoint per half of it is kept as well: with pruning at every save the anchor of distance d is between
 * d and 1.5 d saves back, at the price of at most three more checkpoints per distance.
 */
export function driftAnchors(options: DriftAnchorOptions = {}): RetentionPolicy {
  const distances = [...new Set(options.savesBack ?? [10, 100, 1_000])];
  if (distances.length === 0) throw emptyPolicy("driftAnchors without a distance");
  for (const distance of distances) requireCount(distance, "driftAnchors({ savesBack })");
  return keepPolicy(function* (history, keep) {
    const newest = history.damagedLeftOut ? "newest intact one" : "newest";
    for (const distance of distances) yield* anchorAt(history, distance, keep);
    for (const since of new Set(history.suspectedSince)) {
      const before = history.entries[countBefore(history.entries, since) - 1];
      if (before === undefined) continue;
      keep(before, {
        code: "before-suspicion",
        message: `It is the ${newest} from before the suspicion that is open since checkpoint ${since}.`,
      });
    }
  });
}
