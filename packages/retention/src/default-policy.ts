import { anyOf } from "./any-of.js";
import { driftAnchors } from "./drift-anchors.js";
import { keepLast } from "./keep-last.js";
import { keepUntilReleased } from "./keep-until-released.js";
import { keepWithin } from "./keep-within.js";
import { maxCount } from "./max-count.js";
import type { RetentionPolicy } from "./policy.js";
import { forName, forOtherNames, perName } from "./scope.js";

/**
 * What is kept when nothing is configured:
 *
 * - `routine`: the latest 3;
 * - `recovery`: those of the last 7 days;
 * - `pre_operation`: until the operation is done;
 * - any other name, since somebody chose it: the latest 10 of each, and all of the last 7 days; at most 1,000 together;
 * - drift anchors: the newest at least 10, 100 and 1,000 saves back, and the newest from before any open suspicion.
 */
export function defaultPolicy(): RetentionPolicy {
  const week = { days: 7 };
  return anyOf(
    forName("routine", keepLast(3)),
    forName("recovery", keepWithin(week)),
    forName("pre_operation", keepUntilReleased()),
    forOtherNames(
      ["routine", "recovery", "pre_operation"],
      anyOf(perName(keepLast(10)), keepWithin(week), maxCount(1_000)),
    ),
    driftAnchors(),
  );
}
