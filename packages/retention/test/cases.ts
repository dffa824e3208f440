import type { CheckpointHeader } from "@ckpt/core";
import {
  anyOf,
  defaultPolicy,
  driftAnchors,
  forName,
  forOtherNames,
  gfs,
  keepAll,
  keepFirst,
  keepIf,
  keepLast,
  keepLatestPerName,
  keepPinned,
  keepUntilReleased,
  keepWithin,
  maxBytes,
  maxCount,
  perName,
  planRetention,
  type RetentionContext,
  type RetentionPolicy,
} from "@ckpt/retention";
import fc from "fast-check";
import { anyHistory, DAY_MS } from "./headers.js";

export const count = fc.integer({ min: 1, max: 12 });
const small = fc.integer({ min: 0, max: 4 });
export const someNames = fc.subarray(["routine", "recovery", "pre_operation", "before-deploy", "__proto__"], {
  minLength: 1,
});

export const keepRule: fc.Arbitrary<RetentionPolicy> = fc.oneof(
  count.map(keepLast),
  fc.integer({ min: 0, max: 60 }).map((days) => keepWithin({ days })),
  fc.constantFrom(
    keepFirst(),
    keepLatestPerName(),
    keepPinned(),
    keepUntilReleased(),
    keepAll(),
    driftAnchors(),
  ),
  fc
    .array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 3 })
    .map((savesBack) => driftAnchors({ savesBack })),
  fc
    .record({ hourly: small, daily: small, weekly: small, monthly: small, yearly: small })
    .filter((counts) => Object.values(counts).some((n) => n > 0))
    .map(gfs),
  fc.integer({ min: 1, max: 5 }).map((n) => keepIf("every-nth", (h) => h.sequence % n === 0)),
);

const capRule = fc.oneof(
  count.map(maxCount),
  fc.integer({ min: 1, max: 40_000 }).map((bytes) => maxBytes(bytes)),
);

const policyOf = (rule: fc.Arbitrary<RetentionPolicy>) =>
  fc
    .array(
      fc.oneof(
        rule,
        fc.tuple(someNames, rule).map(([names, policy]) => forName(names, policy)),
        fc.tuple(someNames, rule).map(([names, policy]) => forOtherNames(names, policy)),
        rule.map(perName),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((policies) => anyOf(...policies));

export const capFree = policyOf(keepRule);
export const anyPolicy = fc.oneof(policyOf(fc.oneof(keepRule, capRule)), fc.constant(defaultPolicy()));

export interface Case {
  readonly headers: CheckpointHeader[];
  readonly context: RetentionContext;
  readonly nowMs: number;
}

export const anyCase: fc.Arbitrary<Case> = anyHistory.chain((headers) => {
  const ids = fc.subarray(headers.map((h) => h.id));
  const last = headers.at(-1)!;
  const unreadable = fc.oneof({ weight: 2, arbitrary: fc.constant<string[]>([]) }, ids);
  return fc.record({
    headers: fc
      .tuple(fc.shuffledSubarray(headers, { minLength: headers.length }), unreadable)
      .map(([list, ids]) =>
        list.map((h) => (ids.slice(0, 4).includes(h.id) ? { ...h, timestamp: "yesterday" } : h)),
      ),
    nowMs: fc
      .oneof(fc.integer({ min: -DAY_MS, max: DAY_MS }), fc.integer({ min: -90 * DAY_MS, max: 90 * DAY_MS }))
      .map((offsetMs) => Date.parse(last.timestamp) + offsetMs),
    context: fc.record({
      openGuards: ids.map((list) => list.slice(0, 3).map((checkpointId) => ({ checkpointId }))),
      pinnedIds: ids.map((list) => list.slice(0, 3)),
      headId: fc.constantFrom(null, "absent", ...headers.map((h) => h.id)),
      damagedIds: ids,
      releasedIds: ids,
      suspectedSince: fc.array(fc.integer({ min: 0, max: last.sequence + 5 }), { maxLength: 2 }),
      clockSuspect: fc.boolean(),
    }),
  });
});

export const keptIds = (c: Case, policy: RetentionPolicy) =>
  planRetention(c.headers, policy, c.nowMs, c.context).keep.map((d) => d.header.id);
