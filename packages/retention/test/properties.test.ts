import { anyOf, forName, keepLast, maxCount, planRetention } from "@ckpt/retention";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyCase, anyPolicy, capFree, count, keepRule, keptIds, someNames } from "./cases.js";
import { propertyRuns } from "./headers.js";

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
