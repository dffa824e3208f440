import {
  type Detector,
  type DetectorJson,
  DriftMonitor,
  errorStreak,
  invariant,
  monitor,
  type Signal,
  shift,
  stall,
} from "@ckpt/drift";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alarms, freshStep, generator, watch } from "./support.js";

const RUNS = Number(process.env.CKPT_PROPERTY_RUNS ?? 60);

/** A custom detector: drift while a metric named `alarm` is 1. */
class AlarmBell implements Detector {
  readonly name = "bell";
  rings = 0;
  observe(signal: Signal, context: { index: number }) {
    if (signal.metrics?.alarm !== 1) return undefined;
    this.rings++;
    return {
      metric: "alarm",
      level: "drift" as const,
      before: 0,
      after: 1,
      window: 1,
      since: Math.max(0, context.index - 2),
      confidence: 0.9,
      message: "it rings",
      suggestion: "look",
    };
  }
  acknowledge(): void {}
  reset(): void {
    this.rings = 0;
  }
  toJSON(): DetectorJson {
    return { type: "bell", name: this.name, rings: this.rings };
  }
}

const ringing = (alarm: boolean, i: number): Signal => ({
  checkpointId: `a:${i}`,
  sequence: i,
  step: i,
  metrics: { alarm: alarm ? 1 : 0 },
});

describe("a monitor", () => {
  test("says that all is well before and while nothing happens", () => {
    const watcher = monitor();
    expect(watcher.verdict()).toMatchObject({
      level: "ok",
      raised: false,
      since: null,
      lastGood: null,
      score: 0,
    });
    for (const verdict of watch(
      watcher,
      Array.from({ length: 200 }, (_, i) => freshStep(i)),
    )) {
      expect(verdict.level).toBe("ok");
    }
  });

  test("names the checkpoint where it began and the one before it", () => {
    const watcher = monitor({ detectors: [new AlarmBell()] });
    const verdicts = watch(
      watcher,
      [0, 1, 2, 3, 4].map((i) => ringing(i === 4, i)),
    );
    expect(verdicts[4]).toMatchObject({
      level: "drift",
      raised: true,
      since: { index: 2, checkpointId: "a:2", sequence: 2, step: 2 },
      lastGood: { index: 1, checkpointId: "a:1" },
      evidence: [{ detector: "bell", since: { index: 2, checkpointId: "a:2" } }],
    });
  });

  test("raises a verdict once, holds it through short gaps, and lets it pass", () => {
    const watcher = monitor({ detectors: [new AlarmBell()] });
    const pattern = [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    const verdicts = watch(
      watcher,
      pattern.map((alarm, i) => ringing(alarm === 1, i)),
    );
    expect(alarms(verdicts)).toEqual([3]);
    expect(verdicts.map((v) => v.level)).toEqual([
      ...Array(3).fill("ok"),
      ...Array(9).fill("drift"),
      "ok",
      "ok",
    ]);
  });

  test("after an acknowledgement is well, and offers no checkpoint from within the episode", () => {
    const watcher = monitor({ detectors: [new AlarmBell()] });
    watch(
      watcher,
      [0, 1, 2, 3, 4].map((i) => ringing(i === 4, i)),
    );
    watcher.acknowledge();
    expect(watcher.verdict().level).toBe("ok");
    const next = watcher.observe(ringing(true, 5));
    expect(next.lastGood).toMatchObject({ checkpointId: "a:1" });
  });

  test("forgets everything on reset", () => {
    const watcher = monitor();
    const before = JSON.stringify(watcher);
    watch(
      watcher,
      Array.from({ length: 50 }, (_, i) => ({ ...freshStep(i), checkpointId: `a:${i}`, metrics: { x: i } })),
    );
    watcher.reset();
    expect(JSON.stringify(watcher)).toBe(before);
  });

  test("remembers a bounded number of checkpoints, old ones more coarsely", () => {
    const watcher = monitor({ detectors: [new AlarmBell()] });
    for (let i = 0; i < 20_000; i++) watcher.observe(ringing(false, i));
    expect(JSON.stringify(watcher).length).toBeLessThan(60_000);
    expect(watcher.observe(ringing(true, 20_000)).lastGood).toMatchObject({ checkpointId: "a:19997" });
  });

  test("keeps a corrupt verdict until it is acknowledged", () => {
    const watcher = monitor();
    const finding = {
      kind: "damaged",
      place: "7.seg:812",
      message: "bad checksum",
      affectedIds: ["a:1"],
      remedy: "restore a:0",
    };
    watcher.observe({ checkpointId: "a:0" });
    watcher.observe({ checkpointId: "a:1", findings: [finding] });
    for (let i = 2; i < 40; i++) watcher.observe({ checkpointId: `a:${i}` });
    expect(watcher.verdict()).toMatchObject({
      level: "corrupt",
      since: { checkpointId: "a:1" },
      lastGood: { checkpointId: "a:0" },
    });
    expect(watcher.verdict().evidence[0]).toMatchObject({
      detector: "corruption",
      confidence: 1,
      suggestion: "restore a:0",
    });
    watcher.acknowledge();
    expect(watcher.observe({}).level).toBe("ok");
  });
});

test("a finding with endless texts is kept shortened", () => {
  const watcher = monitor();
  const long = "x".repeat(100_000);
  watcher.observe({ findings: [{ kind: long, message: long, remedy: long, place: long }] });
  expect(JSON.stringify(watcher).length).toBeLessThan(20_000);
});

describe("a stored monitor", () => {
  const signal = fc.record(
    {
      checkpointId: fc.string({ minLength: 1, maxLength: 5 }),
      metrics: fc.record({
        durationMs: fc.double({ noNaN: true }),
        tokens: fc.nat(9),
        flag: fc.constantFrom(0, 1),
      }),
      outcome: fc.constantFrom<"ok" | "error">("ok", "error"),
      action: fc.constantFrom("a", "b", "c d", "e f g"),
      observation: fc.constantFrom("", "x", "y z", "y zz"),
      stateHash: fc.constantFrom("1", "2", "3"),
      state: fc.record({ n: fc.nat(3), list: fc.array(fc.nat(3), { maxLength: 3 }) }),
    },
    { requiredKeys: [] },
  );

  test("goes on bit-identically after a round trip through JSON text, at any moment", () => {
    fc.assert(
      fc.property(fc.array(signal, { minLength: 1, maxLength: 120 }), fc.nat(119), (signals, cut) => {
        const whole = monitor({ pollers: ["c*"] });
        watch(whole, signals.slice(0, cut));
        const restored = DriftMonitor.fromJSON(JSON.parse(JSON.stringify(whole)));
        expect(restored.verdict()).toEqual(JSON.parse(JSON.stringify(whole.verdict())));
        const rest = signals.slice(cut);
        expect(JSON.stringify(watch(restored, rest))).toBe(JSON.stringify(watch(whole, rest)));
        expect(JSON.stringify(restored)).toBe(JSON.stringify(whole));
      }),
      { numRuns: RUNS },
    );
  });

  test("goes on bit-identically after thousands of signals", () => {
    const random = generator(5);
    const next = (i: number): Signal => ({
      metrics: {
        durationMs: Math.exp(random.normal()),
        tokens: Math.floor(random.uniform() * 5),
        total: i + random.uniform(),
      },
      outcome: random.uniform() < 0.1 ? "error" : "ok",
    });
    const whole = monitor();
    for (let i = 0; i < 7000; i++) whole.observe(next(i));
    const restored = DriftMonitor.fromJSON(JSON.parse(JSON.stringify(whole)));
    for (let i = 7000; i < 9000; i++) {
      const s = next(i);
      expect(restored.observe(s)).toEqual(whole.observe(s));
    }
    expect(JSON.stringify(restored)).toBe(JSON.stringify(whole));
  });

  test("takes custom detectors back by their readers, and those that hold functions by name", () => {
    const positive = (now: { budget: number }) => now.budget > 0;
    const watcher = monitor({ detectors: [new AlarmBell()], invariants: [invariant(positive)] });
    watcher.observe({ metrics: { alarm: 1 }, state: { budget: -1 } });
    const json = JSON.parse(JSON.stringify(watcher)) as unknown;
    expect(() => DriftMonitor.fromJSON(json)).toThrowError(
      expect.objectContaining({ code: "CKPT_UNKNOWN_DETECTOR" }),
    );
    const readers = {
      bell: (stored: DetectorJson): Detector => Object.assign(new AlarmBell(), { rings: stored.rings }),
    };
    const restored = DriftMonitor.fromJSON(json, { readers, detectors: [invariant(positive)] });
    expect(JSON.stringify(restored)).toBe(JSON.stringify(watcher));
  });

  test("watches from now on an invariant of which nothing was stored", () => {
    const before = monitor();
    before.observe({ state: { budget: 1 } });
    const positive = invariant((now: { budget: number }) => now.budget > 0, { name: "budget" });
    const restored = DriftMonitor.fromJSON(JSON.parse(JSON.stringify(before)), { detectors: [positive] });
    expect(restored.observe({ state: { budget: -1 } })).toMatchObject({
      level: "drift",
      evidence: [{ detector: "budget", since: { index: 1 } }],
    });
  });

  test("refuses what no monitor wrote", () => {
    const good = JSON.parse(JSON.stringify(monitor())) as Record<string, unknown>;
    const broken: unknown[] = [
      null,
      7,
      [],
      {},
      { ...good, format: 2 },
      ...[-1, 0, 1e9].map((maxFalseAlarmsPer10k) => ({ ...good, maxFalseAlarmsPer10k })),
      { ...good, count: -1 },
      { ...good, detectors: {} },
      { ...good, detectors: [{ type: "shift", name: "shift" }] },
      { ...good, detectors: [{ type: "__proto__", name: "x" }] },
      { ...good, verdict: { level: "fine" } },
      { ...good, trail: Array(10_000).fill({ index: 1 }) },
    ];
    for (const json of broken) {
      expect(() => DriftMonitor.fromJSON(json)).toThrowError(
        expect.objectContaining({ code: expect.stringMatching(/^CKPT_/), hint: expect.any(String) }),
      );
    }
  });
});

describe("options of a monitor", () => {
  test("are refused outside their range", () => {
    for (const maxFalseAlarmsPer10k of [0, -1, Number.NaN, 1001]) {
      expect(() => monitor({ maxFalseAlarmsPer10k })).toThrowError(
        expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
      );
    }
    expect(() => monitor({ detectors: [stall(), stall()] })).toThrowError(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
  });

  test("replace the statistical detectors, never the watch over corruption", () => {
    const watcher = monitor({ detectors: [shift("durationMs"), errorStreak()] });
    const names = (watcher.toJSON().detectors as { name: string }[]).map((detector) => detector.name);
    expect(names).toEqual(["shift durationMs", "errorStreak", "corruption"]);
  });
});
