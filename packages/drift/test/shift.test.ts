import { monitor, type Signal, shift } from "@ckpt/drift";
import { describe, expect, test } from "vitest";
import { alarms, generator, watch } from "./support.js";

const metric = (name: string, values: readonly number[]): Signal[] =>
  values.map((x) => ({ metrics: { [name]: x } }));

function series(
  length: number,
  next: (i: number, random: ReturnType<typeof generator>) => number,
  seed = 1,
): number[] {
  const random = generator(seed);
  return Array.from({ length }, (_, i) => next(i, random));
}

/** The first alarm and its evidence. */
function firstAlarm(signals: readonly Signal[]) {
  const verdicts = watch(monitor({ detectors: [shift()] }), signals);
  const at = alarms(verdicts)[0];
  return at === undefined ? undefined : { at, evidence: verdicts[at]!.evidence[0]! };
}

describe("the shift detector", () => {
  test("finds a rise of durations, with their typical values before and after and where it began", () => {
    const durations = series(800, (i, r) => Math.exp(0.5 * r.normal()) * (i < 600 ? 100 : 200));
    const found = firstAlarm(metric("durationMs", durations));
    expect(found?.at).toBeGreaterThanOrEqual(600);
    expect(found?.at).toBeLessThan(640);
    expect(found?.evidence.metric).toBe("durationMs");
    expect(found?.evidence.before).toBeCloseTo(100, -1);
    expect(found?.evidence.after).toBeGreaterThan(150);
    expect(Math.abs(found!.evidence.since.index - 600)).toBeLessThan(12);
    expect(found?.evidence.confidence).toBeGreaterThan(0.4);
  });

  test("finds a fall, a change of scale, and a change of the error rate", () => {
    expect(
      firstAlarm(
        metric(
          "x",
          series(1500, (i, r) => r.normal() - (i < 1000 ? 0 : 1)),
        ),
      )?.at,
    ).toBeLessThan(1060);
    expect(
      firstAlarm(
        metric(
          "x",
          series(1500, (i, r) => r.normal() * (i < 1000 ? 1 : 2)),
        ),
      )?.at,
    ).toBeLessThan(1080);
    const random = generator(3);
    const outcomes = Array.from(
      { length: 1500 },
      (_, i): Signal => ({ outcome: random.uniform() < (i < 1000 ? 0.05 : 0.3) ? "error" : "ok" }),
    );
    const found = firstAlarm(outcomes);
    expect(found?.at).toBeGreaterThanOrEqual(1000);
    expect(found?.at).toBeLessThan(1100);
    expect(found?.evidence.metric).toBe("outcome");
  });

  test("keeps its false alarms within the budget on normal, skewed, heavy-tailed, correlated and rare values", () => {
    let last = 0;
    const kinds: ((i: number, r: ReturnType<typeof generator>) => number)[] = [
      (_, r) => r.normal(),
      (_, r) => Math.exp(0.6 * r.normal()),
      (_, r) => r.normal() / Math.sqrt((r.normal() ** 2 + r.normal() ** 2 + r.normal() ** 2) / 3),
      (_, r) => (r.uniform() < 0.05 ? 1 : 0),
      (_, r) => {
        last = 0.5 * last + r.normal();
        return last;
      },
    ];
    let total = 0;
    for (const [k, kind] of kinds.entries()) {
      for (let seed = 1; seed <= 4; seed++)
        total += alarms(watch(monitor(), metric("x", series(4000, kind, 100 * k + seed)))).length;
    }
    // 80,000 observations: 8 at the budget's limit, far fewer in fact.
    expect(total).toBeLessThanOrEqual(2);
  });

  test("watches the differences of a total that only grows", () => {
    let total = 1000;
    const growing = series(1200, (i, r) => {
      total += (i < 800 ? 10 : 30) * (0.5 + r.uniform());
      return total;
    });
    const found = firstAlarm(metric("bytes", growing));
    expect(found?.at).toBeGreaterThanOrEqual(800);
    expect(found?.at).toBeLessThan(830);
    expect(found?.evidence.before).toBeCloseTo(10, -1);
  });

  test("adds up small changes of several metrics, and tells each", () => {
    const random = generator(9);
    const signals = Array.from({ length: 500 }, (_, i): Signal => {
      const up = i < 300 ? 0 : 0.8;
      return {
        metrics: {
          a: random.normal() + up,
          b: random.normal() + up,
          c: random.normal() - up,
          d: random.normal(),
        },
      };
    });
    const together = firstAlarm(signals)!.at;
    const alone = firstAlarm(signals.map((s) => ({ metrics: { a: s.metrics!.a! } })))!.at;
    expect(together).toBeLessThan(alone);
    expect(firstAlarm(signals)!.evidence.message).toMatch(/also/);
  });

  test("learns the new behaviour as the normal one after an alarm", () => {
    const values = series(3000, (i, r) => r.normal() + (i < 500 ? 0 : 5));
    expect(alarms(watch(monitor(), metric("x", values)))).toHaveLength(1);
  });

  test("ignores values that are not finite, inherited names, and metrics beyond 32", () => {
    const detector = shift();
    const context = { index: 0, maxFalseAlarmsPer10k: 1 };
    const metrics = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`m${i}`, i]));
    detector.observe({ metrics: { ...metrics, bad: Number.NaN, worse: Number.POSITIVE_INFINITY } }, context);
    expect((detector.toJSON().names as string[]).length).toBe(32);
    const named = shift("constructor");
    named.observe({ metrics: { other: 1 } }, context);
    expect(named.toJSON().names).toEqual([]);
  });

  test("is quieter with a smaller budget, never earlier", () => {
    const values = metric(
      "x",
      series(1200, (i, r) => r.normal() + (i < 1000 ? 0 : 0.7)),
    );
    const at = (maxFalseAlarmsPer10k: number) =>
      alarms(watch(monitor({ maxFalseAlarmsPer10k, detectors: [shift()] }), values))[0] ?? 1200;
    expect(at(100)).toBeLessThanOrEqual(at(1));
    expect(at(1)).toBeLessThanOrEqual(at(0.01));
  });

  test("measures against the last few thousand signals, not against all time", () => {
    const detector = shift();
    const random = generator(14);
    const all = (): number => (detector.toJSON().history as { all: number[] }).all[0]!;
    for (let i = 0; i < 12_000; i++)
      detector.observe({ metrics: { x: random.normal() } }, { index: i, maxFalseAlarmsPer10k: 0.001 });
    expect(all()).toBeGreaterThan(2500);
    expect(all()).toBeLessThan(5200);
  });

  test("stores a bounded state", () => {
    const detector = shift();
    const random = generator(2);
    const size = () => JSON.stringify(detector).length;
    for (let i = 0; i < 10_000; i++)
      detector.observe({ metrics: { x: random.normal() } }, { index: i, maxFalseAlarmsPer10k: 0.001 });
    const before = size();
    for (let i = 10_000; i < 20_000; i++)
      detector.observe({ metrics: { x: random.normal() } }, { index: i, maxFalseAlarmsPer10k: 0.001 });
    expect(size()).toBeLessThan(1.1 * before);
    expect(before).toBeLessThan(20_000);
  });
});
