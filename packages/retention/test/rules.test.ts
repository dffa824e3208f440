import {
  anyOf,
  driftAnchors,
  forName,
  forOtherNames,
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
  type RetentionPolicy,
} from "@ckpt/retention";
import { describe, expect, it } from "vitest";
import { DAY_MS, header, history, sequences, T0 } from "./headers.js";

const nowMs = T0 + 3_600_000;
const kept = (headers: Parameters<typeof planRetention>[0], policy: RetentionPolicy, context = {}) =>
  sequences(planRetention(headers, policy, nowMs, context).keep);

describe("keep rules", () => {
  it("keepLast keeps the newest by sequence, not by clock", () => {
    const headers = [1, 2, 3, 4].map((n) => header(n, { timeMs: T0 - n * 60_000 }));
    expect(kept(headers, keepLast(2))).toEqual([3, 4]);
  });

  it("keepLast keeps that many intact ones; a damaged one in its place stays for repair as well", () => {
    expect(kept(history(6), keepLast(2), { damagedIds: ["agent:5"] })).toEqual([4, 5, 6]);
    expect(kept(history(6), keepLast(2), { damagedIds: ["agent:3"] })).toEqual([5, 6]);
  });

  it("keepFirst keeps the beginning", () => {
    expect(kept(history(4), keepFirst())).toEqual([1, 4]);
  });

  it("keepAll keeps everything", () => {
    expect(kept(history(4), keepAll())).toEqual([1, 2, 3, 4]);
  });

  it("keepIf keeps what its predicate says, under its own code", () => {
    const headers = history(4).map((h) => (h.sequence === 2 ? { ...h, metadata: { release: true } } : h));
    const plan = planRetention(
      headers,
      keepIf("release", (h) => h.metadata.release === true),
      nowMs,
    );
    expect(sequences(plan.keep)).toEqual([2, 4]);
    expect(plan.keep[0]?.reasons).toEqual([{ code: "release", message: 'It satisfies the rule "release".' }]);
  });

  it("keepPinned as the only rule keeps nothing but what is pinned or protected", () => {
    expect(kept(history(5), keepPinned(), { pinnedIds: ["agent:2"] })).toEqual([2, 5]);
  });

  it("keepLatestPerName keeps one of each name", () => {
    const headers = history(6, (n) => (n === 2 ? "__proto__" : n % 2 === 0 ? "even" : "odd"));
    expect(kept(headers, keepLatestPerName())).toEqual([2, 5, 6]);
  });

  it("keepWithin measures from the larger of wall clock and newest stored time", () => {
    const headers = [
      header(1, { timeMs: T0 }),
      header(2, { timeMs: T0 + 1_000 }),
      header(3, { timeMs: T0 + 61_000 }),
    ];
    // The wall clock is behind by a minute: ages still count from the newest checkpoint.
    const plan = planRetention(headers, keepWithin({ minutes: 1 }), T0);
    expect(sequences(plan.keep)).toEqual([2, 3]);
    expect(plan.nowMs).toBe(T0 + 61_000);
  });

  it("keepWithin adds up its units", () => {
    const headers = [0, 1, 2].map((n) => header(n + 1, { timeMs: nowMs - (2 - n) * 90_061_001 }));
    expect(kept(headers, keepWithin({ days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 1 }))).toEqual(
      [2, 3],
    );
    expect(kept(headers, keepWithin({ days: 1, hours: 1, minutes: 1, seconds: 1 }))).toEqual([3]);
  });

  it("keepUntilReleased keeps a guard's base, and by hand the newest until it is released", () => {
    const headers = history(6, (n) => (n <= 3 ? "pre_operation" : "routine"));
    const policy = forName("pre_operation", keepUntilReleased());
    expect(kept(headers, policy, { openGuards: [{ checkpointId: "agent:1" }] })).toEqual([1, 3, 4, 5, 6]);
    expect(kept(headers, policy, { releasedIds: ["agent:3"] })).toEqual([4, 5, 6]);
  });
});

describe("drift anchors", () => {
  it("keep the newest at least so many saves back, and what will follow it", () => {
    const plan = planRetention(history(200), driftAnchors({ savesBack: [10, 100] }), nowMs + DAY_MS / 8);
    const anchors = plan.keep.filter((d) => d.reasons.some((r) => r.code === "drift-anchor"));
    expect(sequences(anchors)).toEqual([100, 190]);
    expect(plan.keep.length).toBeLessThanOrEqual(2 + 2 * 3 + 1);
  });

  it("stay near their distance when a plan is carried out after every save", () => {
    const policy = anyOf(keepLast(3), driftAnchors());
    let alive = history(0);
    for (let sequence = 1; sequence <= 3_000; sequence++) {
      alive = [...alive, header(sequence)];
      alive = planRetention(alive, policy, T0 + sequence * 60_000).keep.map((d) => d.header);
      expect(alive.length).toBeLessThanOrEqual(3 + 3 * 4);
      for (const distance of [10, 100, 1_000]) {
        if (sequence <= distance) continue;
        const anchor = alive.findLast((h) => h.sequence <= sequence - distance);
        expect(anchor).toBeDefined();
        if (sequence > distance * 2) expect(sequence - anchor!.sequence).toBeLessThan(1.5 * distance);
      }
    }
  });

  it("keep the newest intact one from before each open suspicion", () => {
    const plan = planRetention(history(50), anyOf(keepLast(1), driftAnchors({ savesBack: [1] })), nowMs, {
      suspectedSince: [20, 40],
      damagedIds: ["agent:19"],
    });
    const before = plan.keep.filter((d) => d.reasons.some((r) => r.code === "before-suspicion"));
    expect(sequences(before)).toEqual([18, 19, 39]);
  });
});

describe("caps", () => {
  it("maxCount drops the oldest of what the rules keep", () => {
    const plan = planRetention(history(10), anyOf(keepLast(6), maxCount(4)), nowMs);
    expect(sequences(plan.keep)).toEqual([7, 8, 9, 10]);
    expect(plan.drop.map((d) => d.reasons[0]?.code)).toEqual([
      ...Array(4).fill("no-rule"),
      "max-count",
      "max-count",
    ]);
  });

  it("maxCount alone keeps everything up to it", () => {
    expect(kept(history(10), maxCount(3))).toEqual([8, 9, 10]);
  });

  it("count protected checkpoints, and drop others in their place", () => {
    expect(kept(history(10), maxCount(3), { pinnedIds: ["agent:1", "agent:2"] })).toEqual([1, 2, 10]);
    expect(kept(history(10), maxCount(1), { pinnedIds: ["agent:1", "agent:2"] })).toEqual([1, 2, 10]);
  });

  it("maxBytes adds up sizes, the caller's if given", () => {
    expect(kept(history(10), maxBytes(3_500))).toEqual([8, 9, 10]);
    expect(kept(history(10), maxBytes(25, { sizeOf: (h) => h.sequence }))).toEqual([9, 10]);
  });

  it("hold within a name, or for each name", () => {
    const headers = history(8, (n) => (n % 2 === 0 ? "even" : "odd"));
    expect(kept(headers, forName("odd", maxCount(1)))).toEqual([2, 4, 6, 7, 8]);
    expect(kept(headers, perName(maxCount(1)))).toEqual([7, 8]);
    expect(kept(headers, forOtherNames(["odd"], maxCount(2)))).toEqual([1, 3, 5, 6, 7, 8]);
  });
});
