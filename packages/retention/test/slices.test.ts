import type { CheckpointHeader } from "@ckpt/core";
import {
  anyOf,
  driftAnchors,
  forName,
  gfs,
  type KeepRule,
  keepAll,
  keepFirst,
  keepIf,
  keepLast,
  keepPinned,
  keepUntilReleased,
  keepWithin,
  maxBytes,
  maxCount,
  perName,
  planRetention,
  planRetentionInSlices,
  type RetentionPolicy,
} from "@ckpt/retention";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyCase, anyPolicy } from "./cases.js";
import { history, propertyRuns, T0 } from "./headers.js";

const policy = anyOf(keepLast(5), keepWithin({ hours: 2 }), gfs({ daily: 3 }), maxCount(50));
const STEPS = 40;
const COUNT = STEPS * 256;

/** How often a plan asks for a pause. */
async function asked(headers: readonly CheckpointHeader[], policy: RetentionPolicy, context = {}) {
  let times = 0;
  const pause = () => {
    times++;
    return undefined;
  };
  await planRetentionInSlices(headers, policy, T0, context, pause);
  return times;
}

it("gives in slices the plan that it gives in one go", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, anyPolicy, async ({ headers, nowMs, context }, policy) => {
      const slices = planRetentionInSlices(headers, policy, nowMs, context, () => Promise.resolve());
      expect(await slices).toEqual(planRetention(headers, policy, nowMs, context));
    }),
    propertyRuns,
  );
});

describe("a long history lets others run", () => {
  it("all along", async () => {
    expect(await asked(history(50_000), policy)).toBeGreaterThan(50_000 / 256);
  });

  it.each<[string, RetentionPolicy]>([
    ["keepAll", keepAll()],
    ["keepLast", keepLast(COUNT)],
    ["keepWithin", keepWithin({ days: 1 })],
    ["gfs", gfs({ daily: 1 })],
    ["keepPinned", keepPinned()],
    ["keepIf", keepIf("never", () => false)],
    ["keepUntilReleased", keepUntilReleased()],
    ["driftAnchors", driftAnchors({ savesBack: [COUNT] })],
    ["forName", forName("routine", keepFirst())],
    ["perName", perName(keepFirst())],
  ])("within %s", async (_, rule) => {
    const headers = history(COUNT, (n) => (n % 2 === 0 ? "routine" : `name-${n}`));
    const others = await asked(headers, keepFirst());
    expect(await asked(headers, rule)).toBeGreaterThanOrEqual(others + STEPS / 2 - 1);
  });

  it.each<[string, RetentionPolicy]>([
    ["maxCount", maxCount(1)],
    ["maxBytes", maxBytes(1)],
    ["a cap of each name", perName(maxCount(1))],
  ])("within %s", async (_, cap) => {
    const headers = history(COUNT, (n) => `name-${n % 5_000}`);
    const others = await asked(headers, keepAll());
    // Once over what it covers, and once over what it takes.
    expect(await asked(headers, anyOf(keepAll(), cap))).toBeGreaterThanOrEqual(others + 2 * STEPS - 2);
  });

  it("within a rule of one's own that is a generator", async () => {
    const rule: KeepRule = {
      covers: () => true,
      *select({ entries }, keep) {
        for (const entry of entries) {
          yield;
          keep(entry, { code: "slowly", message: "It was looked at." });
        }
      },
    };
    const slowly = { keeps: [rule], caps: [] };
    expect(await asked(history(10), slowly)).toBeGreaterThanOrEqual(10);
    expect(planRetention(history(10), slowly, T0).keep).toHaveLength(10);
  });

  it("while it goes back from a damaged head", async () => {
    const headers = history(COUNT);
    const damagedIds = headers.slice(1).map((h) => h.id);
    const elsewhere = await asked(headers, keepFirst(), { damagedIds });
    const headId = `agent:${COUNT}`;
    expect(await asked(headers, keepFirst(), { damagedIds, headId })).toBeGreaterThanOrEqual(
      elsewhere + STEPS - 1,
    );
  });

  it("while it puts headers in order", async () => {
    let reads = 0;
    let most = 0;
    // Scattered: no part of it is in order.
    const headers = history(COUNT).map((header, i) => ({
      ...header,
      get sequence() {
        reads++;
        return 1 + ((i * 7_919) % COUNT);
      },
      id: `agent:${1 + ((i * 7_919) % COUNT)}`,
    }));
    const pause = () => {
      most = Math.max(most, reads);
      reads = 0;
      return undefined;
    };
    const plan = await planRetentionInSlices(headers, keepLast(3), T0, {}, pause);
    expect(plan.keep.map((d) => d.header.id)).toEqual([COUNT - 2, COUNT - 1, COUNT].map((n) => `agent:${n}`));
    // A sort in one go reads more than a hundred thousand.
    expect(most).toBeLessThan(30_000);
  });
});

it("rejects with what a plan in one go throws", async () => {
  const twice = [...history(1), ...history(1)];
  await expect(planRetentionInSlices(twice, policy, T0, {}, () => undefined)).rejects.toMatchObject({
    code: "CKPT_INVALID_ARGUMENT",
  });
});
