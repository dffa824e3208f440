import {
  anyOf,
  gfs,
  keepLast,
  keepWithin,
  maxCount,
  planRetention,
  planRetentionInSlices,
} from "@ckpt/retention";
import fc from "fast-check";
import { expect, it } from "vitest";
import { anyHistory, history, propertyRuns, T0 } from "./headers.js";

const policy = anyOf(keepLast(5), keepWithin({ hours: 2 }), gfs({ daily: 3 }), maxCount(50));

it("gives in slices the plan that it gives in one go", async () => {
  const facts = fc.record({ headers: anyHistory, hoursLater: fc.integer({ min: -30, max: 300 }) });
  await fc.assert(
    fc.asyncProperty(facts, async ({ headers, hoursLater }) => {
      const nowMs = Date.parse(headers.at(-1)!.timestamp) + hoursLater * 3_600_000;
      const context = { headId: headers[0]!.id, damagedIds: [headers.at(-1)!.id] };
      const slices = planRetentionInSlices(headers, policy, nowMs, context, () => Promise.resolve());
      expect(await slices).toEqual(planRetention(headers, policy, nowMs, context));
    }),
    propertyRuns,
  );
});

it("lets others run all along a long history", async () => {
  const headers = history(50_000);
  let asked = 0;
  const pause = () => {
    asked++;
    return undefined;
  };
  await planRetentionInSlices(headers, policy, T0, {}, pause);
  expect(asked).toBeGreaterThan(50_000 / 256);
});

it("rejects with what a plan in one go throws", async () => {
  const twice = [...history(1), ...history(1)];
  await expect(planRetentionInSlices(twice, policy, T0, {}, () => undefined)).rejects.toMatchObject({
    code: "CKPT_INVALID_ARGUMENT",
  });
});
