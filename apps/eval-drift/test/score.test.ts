import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { drawCharts } from "../src/charts.js";
import { generate, nullKinds } from "../src/generators.js";
import { normalize, probation, rawScore, scaledSigmoid } from "../src/nab-score.js";
import { generatePollingRuns, worstLevel } from "../src/polling.js";
import { geminiCli, openHands, sameObservation3 } from "../src/stall-baselines.js";
import { areaUnderCurve, poissonInterval, quantile } from "../src/statistics.js";

describe("NAB's score", () => {
  const windows = [{ first: 400, last: 499 }];

  test("is 0 for silence, 100 for a detection at the start of every window, and in between later", () => {
    const score = (detections: number[]): number => normalize(rawScore(detections, windows, 1000), 1);
    expect(score([])).toBe(0);
    expect(score([400])).toBeCloseTo(100, 6);
    expect(score([499])).toBeGreaterThan(50);
    expect(score([499])).toBeLessThan(55);
    expect(score([400, 401, 450])).toBeCloseTo(100, 6);
  });

  test("charges 0.11 for a false positive, less just behind a window, nothing in the probation", () => {
    expect(rawScore([300], windows, 1000)).toBeCloseTo(-1.11, 6);
    expect(rawScore([501], windows, 1000)).toBeGreaterThan(-1.02);
    expect(rawScore([990], windows, 1000)).toBeCloseTo(-1.11, 3);
    expect(rawScore([149], windows, 1000)).toBe(-1);
    expect([1000, 4000, 20_000].map(probation)).toEqual([150, 600, 750]);
    expect(scaledSigmoid(0)).toBeCloseTo(0, 12);
    expect(scaledSigmoid(4)).toBe(-1);
  });
});

describe("statistics", () => {
  test("the Poisson interval is Garwood's", () => {
    expect(poissonInterval(0)[1]).toBeCloseTo(3.689, 3);
    expect(poissonInterval(10)[0]).toBeCloseTo(4.795, 3);
    expect(poissonInterval(10)[1]).toBeCloseTo(18.39, 2);
  });

  test("the area under the curve counts ties half", () => {
    expect(areaUnderCurve([2, 3], [0, 1])).toBe(1);
    expect(areaUnderCurve([1], [1])).toBe(0.5);
    expect(areaUnderCurve([0, 1], [1, 2])).toBeCloseTo(0.125, 12);
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
  });
});

describe("generators and baselines", () => {
  test("streams are the same for the same seed, and correlated where they should be", () => {
    const kind = nullKinds.find((k) => k.name.startsWith("AR"))!;
    const x = generate(kind, 20_000, 20_000, 7);
    expect(generate(kind, 20_000, 20_000, 7)).toEqual(x);
    const products =
      x.slice(1).reduce((sum, v, i) => sum + v * x[i]!, 0) / x.reduce((sum, v) => sum + v * v, 0);
    expect(products).toBeCloseTo(0.5, 1);
  });

  test("polling runs never reach drift, and are silent when declared", () => {
    const runs = generatePollingRuns(40, 2);
    expect(runs.every((run) => worstLevel(run, false) !== "drift")).toBe(true);
    expect(runs.some((run) => worstLevel(run, false) === "warn")).toBe(true);
    expect(runs.every((run) => worstLevel(run, true) === "ok")).toBe(true);
  });

  test("published rules stop where they say", () => {
    const step = (ah: string, oh: string, err = false) => ({ action: ah, ah, oh, osim: "0", olen: 1, err });
    expect(openHands([step("a", "x"), ...Array(4).fill(step("b", "y"))])).toBe(4);
    expect(openHands(Array(3).fill(step("b", "y", true)))).toBe(2);
    expect(openHands([1, 2, 1, 2, 1, 2].map((i) => step(`a${i}`, `o${i}`)))).toBe(5);
    expect(openHands([1, 2, 3, 4, 5].map((i) => step(`a${i}`, `o${i}`)))).toBe(-1);
    expect(geminiCli(Array(6).fill(step("b", "y")))).toBe(4);
    expect(sameObservation3(["x", "y", "x", "z", "x"].map((o, i) => step(`${i}`, o)))).toBe(4);
  });
});

describe("the pictures of the documentation", () => {
  test("are what the program draws now", async () => {
    const directory = await mkdtemp(join(tmpdir(), "ckpt-charts-"));
    for (const path of await drawCharts(directory)) {
      const committed = await readFile(
        join(import.meta.dirname, "../../../docs/drift", path.split(/[\\/]/).at(-1)!),
        "utf8",
      );
      expect(await readFile(path, "utf8")).toBe(committed);
    }
    await rm(directory, { recursive: true });
  });
});
