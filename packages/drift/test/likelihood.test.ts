import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalQuantile } from "../src/math/normal-quantile.js";
import { cellBorders, cellOf } from "../src/shift/cells.js";
import { cellsLikelihoodRatio, scoresLikelihoodRatio } from "../src/shift/likelihood.js";
import { WIDTH } from "../src/shift/statistics.js";

const RUNS = Number(process.env.CKPT_PROPERTY_RUNS ?? 300);

/** Likelihood ratio of two multinomial samples, by the book. */
function bookRatio(before: readonly number[], after: readonly number[]): number {
  const log = (counts: readonly number[]): number => {
    const n = counts.reduce((a, b) => a + b, 0);
    return counts.reduce((sum, k) => sum + (k === 0 ? 0 : k * Math.log(k / n)), 0);
  };
  return log(before) + log(after) - log(before.map((k, i) => k + after[i]!));
}

const row = (counts: readonly number[]): Float64Array =>
  new Float64Array([counts.reduce((a, b) => a + b, 0), counts[1]!, counts[2]!, counts[3]!, 0]);

describe("likelihood ratios", () => {
  test("of cells equal the textbook's", () => {
    const counts = fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(counts, counts, (before, after) => {
        fc.pre(before.reduce((a, b) => a + b, 0) >= 20 && after.reduce((a, b) => a + b, 0) >= 1);
        const all = row(before.map((k, i) => k + after[i]!));
        expect(cellsLikelihoodRatio(all, row(after), 0)).toBeCloseTo(bookRatio(before, after), 8);
      }),
      { numRuns: RUNS },
    );
  });

  test("of scores are those of a shift where the scale is the same, and use the series only where it is exact", () => {
    const statistics = (values: readonly number[]): Float64Array => {
      const s = new Float64Array(WIDTH);
      for (const x of values) {
        s[0]! += 1;
        s[1]! += x;
        s[2]! += x * x;
      }
      return s;
    };
    const before = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    const after = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 1.5 : -0.5));
    const ratio = scoresLikelihoodRatio(statistics([...before, ...after]), statistics(after), 0);
    expect(ratio).toBeCloseTo(((100 * 50) / 150) * 0.25 * 0.5, 0);
    expect(scoresLikelihoodRatio(statistics([...before, ...before]), statistics(before), 0)).toBeLessThan(
      0.05,
    );
  });
});

describe("normal quantiles", () => {
  test("match known values and are odd around one half", () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963985, 7);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306, 7);
    for (const p of [0.01, 0.2, 0.4]) expect(normalQuantile(p)).toBeCloseTo(-normalQuantile(1 - p), 9);
  });
});

describe("cells", () => {
  test("divide flags, counts and constants, and leave continuous values alone", () => {
    const flags = cellBorders(Array.from({ length: 32 }, (_, i) => (i % 10 === 0 ? 1 : 0)))!;
    expect([-1, 0, 1].map((x) => cellOf(flags, x))).toEqual([0, 1, 2]);
    const constant = cellBorders(Array.from({ length: 32 }, () => 5))!;
    expect([4, 5, 6].map((x) => cellOf(constant, x))).toEqual([0, 1, 2]);
    const counts = cellBorders(Array.from({ length: 32 }, (_, i) => i % 8))!;
    expect(counts.length).toBeLessThanOrEqual(3);
    expect(cellBorders(Array.from({ length: 32 }, (_, i) => Math.sqrt(i)))).toBeUndefined();
  });
});
