import type { CheckpointHeader } from "@ckpt/core";
import { type GfsCounts, gfs, planRetention } from "@ckpt/retention";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyHistory, DAY_MS, header, propertyRuns, sequences } from "./headers.js";

/** The bucket's name, worked out from calendar fields alone: another way than the one under test. */
function bucketName(timeMs: number, unit: keyof GfsCounts): string {
  const iso = new Date(timeMs).toISOString();
  const day = iso.slice(0, iso.indexOf("T"));
  if (unit === "hourly") return iso.slice(0, iso.indexOf(":"));
  if (unit === "daily") return day;
  if (unit === "monthly") return day.slice(0, -3);
  if (unit === "yearly") return day.slice(0, -6);
  // ISO week: named by its Thursday's year and the number of Thursdays so far in that year.
  const weekday = (new Date(timeMs).getUTCDay() + 6) % 7;
  const thursday = new Date(timeMs - (weekday - 3) * DAY_MS);
  const january1 = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return `${thursday.getUTCFullYear()}-W${1 + Math.floor((thursday.getTime() - january1) / (7 * DAY_MS))}`;
}

/** Brute force: group, take each group's newest, take the N groups whose newest is newest. */
function oracle(headers: readonly CheckpointHeader[], counts: GfsCounts): Set<number> {
  const kept = new Set<number>();
  for (const unit of Object.keys(counts) as (keyof GfsCounts)[]) {
    const newest: Record<string, number> = {};
    for (const h of headers) {
      const name = bucketName(Date.parse(h.timestamp), unit);
      newest[name] = Math.max(newest[name] ?? 0, h.sequence);
    }
    const ranked = Object.values(newest).sort((a, b) => b - a);
    for (const sequence of ranked.slice(0, counts[unit])) kept.add(sequence);
  }
  // The newest is protected under every policy.
  kept.add(Math.max(...headers.map((h) => h.sequence)));
  return kept;
}

const upTo = (max: number) => fc.integer({ min: 1, max });

describe("gfs", () => {
  it("agrees with a brute-force oracle", () => {
    const counts = fc.record({
      hourly: upTo(9),
      daily: upTo(9),
      weekly: upTo(9),
      monthly: upTo(5),
      yearly: upTo(3),
    });
    fc.assert(
      fc.property(anyHistory, counts, (headers, all) => {
        const nowMs = Date.parse(headers.at(-1)!.timestamp);
        for (const unit of Object.keys(all) as (keyof GfsCounts)[]) {
          const one = { [unit]: all[unit] };
          expect(new Set(sequences(planRetention(headers, gfs(one), nowMs).keep))).toEqual(
            oracle(headers, one),
          );
        }
        expect(new Set(sequences(planRetention(headers, gfs(all), nowMs).keep))).toEqual(
          oracle(headers, all),
        );
      }),
      propertyRuns,
    );
  });

  it("begins weeks on Monday and lets them cross the year, in UTC", () => {
    const at = (iso: string, sequence: number) => header(sequence, { timestamp: iso });
    const headers = [
      at("2024-12-29T23:59:59Z", 1), // Sunday, week 52
      at("2024-12-30T00:00:00Z", 2), // Monday, week 1 of 2025
      at("2025-01-05T23:59:59Z", 3), // Sunday of the same week
      at("2025-01-06T00:30:00+01:00", 4), // still Sunday in UTC
    ];
    const plan = planRetention(headers, gfs({ weekly: 2 }), Date.parse("2025-01-06T00:00:00Z"));
    expect(sequences(plan.keep)).toEqual([1, 4]);
  });

  it("counts only buckets that have a checkpoint, so a pause loses nothing", () => {
    const headers = [1, 2, 100, 101].map((day, i) => header(i + 1, { timeMs: day * DAY_MS }));
    const plan = planRetention(headers, gfs({ daily: 3 }), 101 * DAY_MS);
    expect(sequences(plan.keep)).toEqual([2, 3, 4]);
    expect(plan.keep[0]?.reasons[0]).toEqual({
      code: "gfs-daily",
      message: "It is the newest of its day (UTC), 3 of 3.",
    });
  });

  it("keeps what has a timestamp that cannot be read", () => {
    const headers = [header(1, { timestamp: "yesterday" }), header(2), header(3)];
    expect(
      sequences(planRetention(headers, gfs({ daily: 1 }), Date.parse(headers[2]!.timestamp)).keep),
    ).toEqual([1, 3]);
  });

  it("refuses no count at all, unknown units and counts that are none", () => {
    const thrown = (make: () => unknown) => {
      try {
        make();
      } catch (error) {
        return (error as { code: string }).code;
      }
      return "nothing";
    };
    expect(thrown(() => gfs({}))).toBe("CKPT_EMPTY_POLICY");
    expect(thrown(() => gfs({ daily: 0 }))).toBe("CKPT_EMPTY_POLICY");
    expect(thrown(() => gfs({ daily: -1 }))).toBe("CKPT_INVALID_ARGUMENT");
    expect(thrown(() => gfs({ daily: 1.5 }))).toBe("CKPT_INVALID_ARGUMENT");
    expect(thrown(() => gfs({ dayly: 1 } as GfsCounts))).toBe("CKPT_INVALID_ARGUMENT");
  });
});
