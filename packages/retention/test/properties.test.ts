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
import { describe, expect, it } from "vitest";
import { anyHistory, DAY_MS, propertyRuns } from "./headers.js";

const count = fc.integer({ min: 1, max: 12 });
const small = fc.integer({ min: 0, max: 4 });
const someNames = fc.subarray(["routine", "recovery", "pre_operation", "before-deploy", "__proto__"], {
  minLength: 1,
});

const keepRule: fc.Arbitrary<RetentionPolicy> = fc.oneof(
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

const capFree = policyOf(keepRule);
const anyPolicy = fc.oneof(policyOf(fc.oneof(keepRule, capRule)), fc.constant(defaultPolicy()));

interface Case {
  readonly headers: CheckpointHeader[];
  readonly context: RetentionContext;
  readonly nowMs: number;
}

const anyCase: fc.Arbitrary<Case> = anyHistory.chain((headers) => {
  const ids = fc.subarray(headers.map((h) => h.id));
  const last = headers.at(-1)!;
  return fc.record({
    headers: fc.shuffledSubarray(headers, { minLength: headers.length }),
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

const keptIds = (c: Case, policy: RetentionPolicy) =>
  planRetention(c.headers, policy, c.nowMs, c.context).keep.map((d) => d.header.id);

describe("every plan", () => {
  it("shares out all checkpoints between keep and drop, in order, each with a reason", () => {
    fc.assert(
      fc.property(anyCase, anyPolicy, (c, policy) => {
        const plan = planRetention(c.headers, policy, c.nowMs, c.context);
        const all = [...plan.keep, ...plan.drop];
        expect(all.map((d) => d.header.id).sort()).toEqual(c.headers.map((h) => h.id).sort());
        expect(plan.dropIds).toEqual(plan.drop.map((d) => d.header.id));
        for (const part of [plan.keep, plan.drop]) {
          const order = part.map((d) => d.header.sequence);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
        for (const decision of all) {
          expect(decision.reasons.length).toBeGreaterThan(0);
          for (const reason of decision.reasons) expect(reason.message).toMatch(/\.$/);
        }
      }),
      propertyRuns,
    );
  });

  it("never drops the head, a guard's base, what is pinned, or the last intact checkpoint", () => {
    fc.assert(
      fc.property(anyCase, anyPolicy, (c, policy) => {
        const dropped = new Set(planRetention(c.headers, policy, c.nowMs, c.context).dropIds);
        const { openGuards = [], pinnedIds = [], headId, damagedIds = [] } = c.context;
        for (const id of [headId, ...pinnedIds, ...openGuards.map((g) => g.checkpointId)]) {
          expect(dropped.has(id ?? "")).toBe(false);
        }
        const intact = c.headers.filter((h) => !damagedIds.includes(h.id));
        if (intact.length > 0) expect(intact.some((h) => !dropped.has(h.id))).toBe(true);
        else expect(dropped.size).toBeLessThan(c.headers.length);
      }),
      propertyRuns,
    );
  });

  it("drops nothing more when it is carried out and made again at the same time", () => {
    fc.assert(
      fc.property(anyCase, anyPolicy, (c, policy) => {
        const kept = planRetention(c.headers, policy, c.nowMs, c.context).keep.map((d) => d.header);
        expect(planRetention(kept, policy, c.nowMs, c.context).dropIds).toEqual([]);
      }),
      propertyRuns,
    );
  });

  it("does not depend on the order in which headers are given", () => {
    fc.assert(
      fc.property(anyCase, anyPolicy, (c, policy) => {
        const sorted = [...c.headers].sort((a, b) => a.sequence - b.sequence);
        expect(keptIds(c, policy)).toEqual(keptIds({ ...c, headers: sorted }, policy));
      }),
      propertyRuns,
    );
  });
});

describe("the algebra", () => {
  it("makes anyOf the union of what its keep rules keep of the names they cover", () => {
    fc.assert(
      fc.property(anyCase, fc.array(keepRule, { minLength: 1, maxLength: 4 }), (c, rules) => {
        const union = new Set(rules.flatMap((rule) => keptIds(c, rule)));
        expect(new Set(keptIds(c, anyOf(...rules)))).toEqual(union);
      }),
      propertyRuns,
    );
  });

  it("keeps a superset with a larger keepLast, whatever keep rules stand beside it", () => {
    fc.assert(
      fc.property(anyCase, capFree, count, count, (c, policy, n, more) => {
        const larger = new Set(keptIds(c, anyOf(policy, keepLast(n + more))));
        for (const id of keptIds(c, anyOf(policy, keepLast(n)))) expect(larger.has(id)).toBe(true);
      }),
      propertyRuns,
    );
  });

  it("keeps a superset with a larger maxCount", () => {
    fc.assert(
      fc.property(anyCase, capFree, count, count, (c, policy, n, more) => {
        const larger = new Set(keptIds(c, anyOf(policy, maxCount(n + more))));
        for (const id of keptIds(c, anyOf(policy, maxCount(n)))) expect(larger.has(id)).toBe(true);
      }),
      propertyRuns,
    );
  });

  it("leaves names that no keep rule covers as they are", () => {
    fc.assert(
      fc.property(anyCase, someNames, keepRule, (c, names, rule) => {
        const plan = planRetention(c.headers, forName(names, rule), c.nowMs, c.context);
        for (const { header } of plan.drop) expect(names).toContain(header.name);
      }),
      propertyRuns,
    );
  });
});
