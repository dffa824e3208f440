import { Adwin, Bocpd, Cusum, Ewma, GaussianGlr, type StreamDetector } from "@ckpt/drift";
import { expect, test } from "vitest";
import { generator } from "./support.js";

const kinds = [Adwin, Bocpd, Cusum, Ewma, GaussianGlr];

/** Feeds a detector that is stored and read again in between; gives the numbers of the values at which it saw drift. */
function driftsIn(kind: (typeof kinds)[number], values: readonly number[]): number[] {
  let detector: StreamDetector = new kind();
  return values.flatMap((x, i) => {
    if (i % 50 === 0) detector = kind.fromJSON(JSON.parse(JSON.stringify(detector)));
    return detector.update(x)?.level === "drift" ? [i] : [];
  });
}

const levels = [Number.MIN_VALUE, -1.1e-315, 1e-200, 0.1, 1.1e15, -9.999e17, 3.3e40, 1e300];

test.each(kinds.map((kind) => [kind.name, kind] as const))(
  "%s sees no drift in what never changes",
  (_, kind) => {
    for (const level of levels)
      expect([level, driftsIn(kind, Array(1_000).fill(level))]).toEqual([level, []]);
  },
);

test.each(kinds.map((kind) => [kind.name, kind] as const))("%s takes rounding for no change", (_, kind) => {
  const values = Array.from({ length: 1_000 }, (_, i) => (i % 7 === 0 ? 0.1 + 0.2 : 0.3));
  expect(driftsIn(kind, values)).toEqual([]);
});

test.each([
  ["Cusum", Cusum],
  ["Ewma", Ewma],
] as const)("%s sees no drift in values whose squares are too small for a number", (_, kind) => {
  const { normal } = generator(3);
  for (const unit of [1e-170, 1e-310]) {
    const values = Array.from({ length: 500 }, () => unit * (20 + normal()));
    expect([unit, driftsIn(kind, values)]).toEqual([unit, []]);
  }
});
