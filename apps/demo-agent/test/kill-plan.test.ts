import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { killPlan } from "../src/parent/kill-plan.js";

const numRuns = Number(process.env.CKPT_PROPERTY_RUNS ?? 300);

describe("the kill plan", () => {
  it("is the same for the same seed, and fits the run", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(0xffffffff), fc.integer({ min: 1, max: 500 }), (kills, seed, steps) => {
        const plan = killPlan(kills, seed, steps);
        expect(killPlan(kills, seed, steps)).toEqual(plan);
        expect(plan).toHaveLength(kills);
        const total = plan.reduce((sum, moment) => sum + moment.afterSteps, 0);
        expect(total).toBeLessThanOrEqual(Math.max(kills, steps));
        for (const { fraction } of plan) expect(fraction >= 0 && fraction < 1).toBe(true);
      }),
      { numRuns },
    );
  });

  it("differs between seeds, and hits work as well as saves", () => {
    expect(killPlan(5, 1, 100)).not.toEqual(killPlan(5, 2, 100));
    expect(new Set(killPlan(40, 1, 400).map((moment) => moment.phase))).toEqual(
      new Set(["working", "saving"]),
    );
  });
});
