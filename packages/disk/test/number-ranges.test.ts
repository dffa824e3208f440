import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeRanges, type NumberRange, Uncovered } from "../src/number-ranges.js";

const range = fc.tuple(fc.nat(60), fc.nat(8)).map(([first, more]): NumberRange => [first, first + more]);
const numbersIn = (ranges: readonly NumberRange[]) =>
  new Set(ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)));

describe("ranges of numbers", () => {
  it("hold the same numbers merged, in order and apart", () => {
    fc.assert(
      fc.property(fc.array(range), (parts) => {
        const merged = mergeRanges(parts);
        expect([...numbersIn(merged)].sort((a, b) => a - b)).toEqual(
          [...numbersIn(parts)].sort((a, b) => a - b),
        );
        for (let i = 1; i < merged.length; i++) expect(merged[i]![0]).toBeGreaterThan(merged[i - 1]![1] + 1);
      }),
    );
  });

  it("leave out what a look at each number would", () => {
    fc.assert(
      fc.property(fc.array(range), fc.array(fc.tuple(fc.nat(6), fc.nat(12))), (parts, steps) => {
        const covered = numbersIn(parts);
        const uncovered = new Uncovered(parts);
        let at = 0;
        for (const [skip, length] of steps) {
          const [from, to] = [at + skip, at + skip + length];
          const left = [...numbersIn(uncovered.within(from, to))];
          const expected = Array.from({ length: length + 1 }, (_, i) => from + i).filter(
            (n) => !covered.has(n),
          );
          expect(left).toEqual(expected);
          at = to;
        }
      }),
    );
  });
});
