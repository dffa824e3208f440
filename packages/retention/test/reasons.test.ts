import {
  anyOf,
  driftAnchors,
  explain,
  forName,
  gfs,
  keepFirst,
  keepIf,
  keepLast,
  keepUntilReleased,
  keepWithin,
  maxCount,
  planRetention,
  type RetentionPolicy,
} from "@ckpt/retention";
import { describe, expect, it } from "vitest";
import { DAY_MS, header, history, T0 } from "./headers.js";

const nowMs = T0 + 3_600_000;

const said = (policy: RetentionPolicy, context = {}, count = 5) =>
  Object.fromEntries(
    planRetention(history(count), policy, nowMs, context).keep.map((d) => [
      d.header.sequence,
      d.reasons.filter((r) => r.code !== "newest-intact").map((r) => r.message),
    ]),
  );

describe("reasons", () => {
  it("do not contradict each other when the newest is damaged", () => {
    expect(said(keepLast(2), { damagedIds: ["agent:5"] })).toEqual({
      3: ["It is the latest intact one but 1, of 2 kept."],
      4: ["It is the latest intact one."],
      5: ["Damaged, kept for a repair as if it were whole: It is the latest."],
    });
  });

  it("say of each rule's newest, or first, that only the intact are counted", () => {
    const intact = { damagedIds: ["agent:5", "agent:1"], suspectedSince: 4 };
    expect(said(gfs({ daily: 1 }), intact)[4]).toEqual([
      "It is the newest intact one of its day (UTC), 1 of 1.",
    ]);
    expect(said(keepFirst(), intact)[2]).toEqual(["It is the first intact one."]);
    expect(said(keepUntilReleased(), intact)[4]?.[0]).toMatch(/^It is the newest intact "routine", and/);
    const anchors = said(driftAnchors({ savesBack: [2] }), intact);
    expect(anchors[2]).toContain("It is the newest intact one at least 2 saves back.");
    expect(anchors[3]?.at(-1)).toMatch(/^It is the newest intact one from before the suspicion/);
  });

  it("leave out that word when nothing is damaged", () => {
    expect(said(anyOf(keepLast(1), gfs({ daily: 1 })))).toEqual({
      5: ["It is the latest.", "It is the newest of its day (UTC), 1 of 1."],
    });
  });

  it("do not say that no rule speaks about what a cap covers", () => {
    expect(said(maxCount(5), {}, 2)).toEqual({
      1: ["No keep rule covers it, and it is within the caps."],
      2: ["No keep rule covers it, and it is within the caps."],
    });
    const elsewhere = anyOf(forName("x", keepLast(1)), forName("y", maxCount(1)));
    expect(said(elsewhere, {}, 1)[1]).toEqual(["No rule of the policy covers it."]);
  });

  it("do not say that the clock jumped when the caller does not trust it", () => {
    const old = planRetention(
      [header(1, { timeMs: T0 - 9 * DAY_MS }), header(2)],
      keepWithin({ days: 7 }),
      T0,
      {
        clockSuspect: true,
      },
    );
    expect(old.keep[0]?.reasons).toEqual([
      { code: "age-suspended", message: "The clock is not trusted: nothing is dropped for its age now." },
    ]);
  });
});

describe("explain", () => {
  const hostile = "x\u009b31mRED\u202eevil\u2028\u001b[2J";
  const steering = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
  const tabled = (name: string, policy: RetentionPolicy) =>
    explain(planRetention([header(1, { name })], policy, nowMs)).split("\n");

  it("shows no control character and no change of direction, not from within a reason either", () => {
    for (const line of tabled(
      hostile,
      anyOf(
        keepUntilReleased(),
        keepIf(hostile, () => true),
      ),
    )) {
      expect(line).not.toMatch(steering);
    }
    const plan = planRetention(history(1), keepLast(1), nowMs);
    const reasons = [{ code: "mine", message: `Because of ${hostile}.` }];
    const own = { ...plan, keep: plan.keep.map((d) => ({ ...d, reasons })) };
    for (const line of explain(own).split("\n")) expect(line).not.toMatch(steering);
  });

  it("keeps lines short whatever is in a name", () => {
    for (const name of [
      "n".repeat(100_000),
      "\u202e".repeat(100_000),
      "\u{1f600}".repeat(100_000),
      `\u202e${"\u{1f600}".repeat(19)}`,
    ]) {
      for (const line of tabled(name, keepUntilReleased())) {
        expect(line.length).toBeLessThan(400);
        expect(line).not.toMatch(steering);
      }
    }
  });

  it("keeps the names in a plan's reasons short and harmless as well, for logs", () => {
    const plan = planRetention([header(1, { name: hostile.repeat(1_000) })], keepUntilReleased(), nowMs);
    for (const { message } of plan.keep[0]?.reasons ?? []) {
      expect(message.length).toBeLessThan(200);
      expect(message).not.toMatch(steering);
    }
  });
});
