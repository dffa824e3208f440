import {
  cycle,
  type Detector,
  DriftMonitor,
  type Level,
  monitor,
  type Signal,
  shift,
  stall,
  unusual,
} from "@ckpt/drift";
import { describe, expect, test } from "vitest";
import { freshStep, generator, watch } from "./support.js";

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

describe("a large budget of false alarms", () => {
  const budgets = [1, 10, 50, 100, 400, 1000];

  test.each(budgets)("of %i per 10,000 does not make an agent that works suspect", (maxFalseAlarmsPer10k) => {
    const steady = times(300, (i): Signal => ({ ...freshStep(i), metrics: { tokens: 5 } }));
    for (const detectors of [undefined, [stall()], [shift()]]) {
      const watcher = monitor({ maxFalseAlarmsPer10k, ...(detectors === undefined ? {} : { detectors }) });
      expect(watch(watcher, steady).every((verdict) => verdict.level === "ok")).toBe(true);
    }
  });

  test("makes nothing of what is less likely than not", () => {
    const stalled = monitor({ maxFalseAlarmsPer10k: 1000, detectors: [stall()] });
    const failsOnce = [..."abcdefghijklmnop"].map(
      (letter): Signal => ({ action: letter, observation: letter, outcome: letter === "h" ? "error" : "ok" }),
    );
    expect(watch(stalled, failsOnce).every((verdict) => verdict.level === "ok")).toBe(true);
    const random = generator(1);
    const shifted = monitor({ maxFalseAlarmsPer10k: 1000, detectors: [shift()] });
    for (let i = 0; i < 2000; i++)
      for (const found of shifted.observe({ metrics: { x: random.normal() } }).evidence)
        expect(found.confidence).toBeGreaterThan(0.3);
    const context = { index: 0, maxFalseAlarmsPer10k: 10_000 };
    expect(shift().observe({ metrics: { x: 1 } }, context)).toBeUndefined();
  });

  test("leaves all evidence with an origin in the past, a window, and something to tell", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = generator(seed);
      const watcher = monitor({ maxFalseAlarmsPer10k: 1000 });
      for (let i = 0; i < 200; i++) {
        const k = Math.floor(random.uniform() ** 2 * 30);
        const { evidence } = watcher.observe({
          action: `act ${k}`,
          observation: `see ${random.uniform() < 0.5 ? i : k}`,
          outcome: random.uniform() < 0.2 ? "error" : "ok",
          metrics: { x: random.normal() },
        });
        for (const found of evidence) {
          expect(found.since.index).toBeLessThanOrEqual(i);
          expect(found.window).toBeGreaterThan(0);
          expect(found.message).not.toMatch(/steps \.$/);
        }
      }
    }
  });
});

describe("suspicion", () => {
  const silence = times(20, (): Signal => ({}));

  test("ends with signals that say nothing of what was suspect", () => {
    const random = generator(5);
    const stuck = times(20, () => ({ action: "x", observation: "no", outcome: "error" }) as const);
    const jump = times(200, (i): Signal => ({ metrics: { x: random.normal() + (i < 100 ? 0 : 30) } }));
    const cases: [Detector, readonly Signal[], Level][] = [
      [stall(), stuck, "drift"],
      [cycle(), stuck, "drift"],
      [shift(), jump, "drift"],
      [unusual("x"), jump, "warn"],
    ];
    for (const [detector, signals, level] of cases) {
      const watcher = monitor({ detectors: [detector] });
      signals.find((signal) => watcher.observe(signal).level === level);
      expect([detector.name, watcher.verdict().score > 0.4]).toEqual([detector.name, true]);
      expect([detector.name, watch(watcher, silence).at(-1)!.score]).toEqual([detector.name, 0]);
    }
  });
});

describe("numbers that are finite, however large,", () => {
  const restore = (watcher: DriftMonitor): DriftMonitor =>
    DriftMonitor.fromJSON(JSON.parse(JSON.stringify(watcher)));

  test.each([
    ["a constant of the largest number", () => Number.MAX_VALUE],
    ["a sentinel of the largest number", (i: number) => (i % 5 === 0 ? i : Number.MAX_VALUE)],
    ["huge values of both signs", (i: number) => (i % 2 === 0 ? 1.7e308 : -1.7e308)],
    ["two huge values among small ones", (i: number) => (i === 50 || i === 51 ? 1.7e308 : Math.sin(i * i))],
  ])("leave a monitor that can be stored: %s", (_, value) => {
    const watcher = monitor({ detectors: [shift(), unusual("x")] });
    for (let i = 0; i < 120; i++) {
      watcher.observe({ metrics: { x: value(i) } });
      restore(watcher);
    }
  });

  test("are left out of the trail when they are none", () => {
    const watcher = monitor();
    watcher.observe({ checkpointId: "a", step: Number.NaN, sequence: Number.POSITIVE_INFINITY });
    watcher.observe({ checkpointId: "b", findings: [{ kind: "damaged", message: "m" }] });
    expect(restore(watcher).verdict().lastGood).toEqual({ index: 0, checkpointId: "a" });
  });
});
