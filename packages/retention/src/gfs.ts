import { BUCKET_OF, type CalendarUnit } from "./calendar.js";
import { emptyPolicy, invalidArgument, requireCount } from "./errors.js";
import { type History, type HistoryEntry, keepPolicy, type Reason, type RetentionPolicy } from "./policy.js";
import { endsStep } from "./steps.js";

/** How many calendar buckets of each length keep their newest checkpoint. What is left out or 0 keeps none. */
export interface GfsCounts {
  readonly hourly?: number;
  readonly daily?: number;
  /** ISO 8601 weeks, Monday to Sunday. */
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
}

const UNITS: readonly CalendarUnit[] = ["hourly", "daily", "weekly", "monthly", "yearly"];
const NOUN: Record<CalendarUnit, string> = {
  hourly: "hour",
  daily: "day",
  weekly: "ISO week",
  monthly: "month",
  yearly: "year",
};

type Keep = (entry: HistoryEntry, reason: Reason) => void;

function* selectUnit(
  { entries, damagedLeftOut }: History,
  unit: CalendarUnit,
  count: number,
  keep: Keep,
): Generator<void, void> {
  const newest = damagedLeftOut ? "newest intact one" : "newest";
  const bucketOf = BUCKET_OF[unit];
  const seen = new Set<number>();
  for (let back = 0; back < entries.length; back++) {
    if (endsStep(back)) yield;
    const entry = entries[entries.length - 1 - back]!;
    if (Number.isNaN(entry.timeMs)) {
      keep(entry, {
        code: `gfs-${unit}`,
        message: `Its timestamp cannot be read, so its ${NOUN[unit]} is unknown.`,
      });
      continue;
    }
    const bucket = bucketOf(entry.timeMs);
    if (seen.has(bucket) || seen.size === count) continue;
    seen.add(bucket);
    keep(entry, {
      code: `gfs-${unit}`,
      message: `It is the ${newest} of its ${NOUN[unit]} (UTC), ${seen.size} of ${count}.`,
    });
  }
}

/**
 * Grandfather-father-son rotation as restic's `forget` does it: for each unit the newest checkpoint of each of the last
 * N calendar buckets *that have one*, so an agent that slept for a month loses nothing. Buckets are in UTC. Newest is by
 * sequence; the stored time only chooses the bucket. Unlike restic, the oldest checkpoint is not kept on top while there are
 * fewer than N: add `keepFirst()` for that.
 *
 * @throws CKPT_EMPTY_POLICY when every count is 0 or left out; CKPT_INVALID_ARGUMENT for other units or counts.
 */
export function gfs(counts: GfsCounts): RetentionPolicy {
  for (const key of Object.keys(counts)) {
    if (!UNITS.includes(key as CalendarUnit)) {
      throw invalidArgument(`gfs has no unit ${JSON.stringify(key)}.`, `Units are ${UNITS.join(", ")}.`);
    }
  }
  const used: [CalendarUnit, number][] = [];
  for (const unit of UNITS) {
    const count = counts[unit] ?? 0;
    if (count !== 0) used.push([unit, requireCount(count, `gfs({ ${unit} })`)]);
  }
  if (used.length === 0) throw emptyPolicy("gfs without a count");
  return keepPolicy(function* (history, keep) {
    for (const [unit, count] of used) yield* selectUnit(history, unit, count, keep);
  });
}
