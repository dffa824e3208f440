import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  Adwin,
  BernoulliGlr,
  Bocpd,
  Cusum,
  Ddm,
  Eddm,
  Ewma,
  GaussianGlr,
  HddmA,
  HddmW,
  Kswin,
  PageHinkley,
  type StreamDetector,
  type StreamEvidence,
} from "@ckpt/drift";
import { describe, expect, test } from "vitest";
import { generator, labelledData } from "./support.js";

interface Kind {
  make(): StreamDetector;
  read(json: unknown): StreamDetector;
  binary: boolean;
}

const kinds: Record<string, Kind> = {
  Adwin: { make: () => new Adwin(), read: Adwin.fromJSON, binary: false },
  PageHinkley: { make: () => new PageHinkley({ threshold: 30 }), read: PageHinkley.fromJSON, binary: false },
  Ddm: { make: () => new Ddm(), read: Ddm.fromJSON, binary: true },
  Eddm: { make: () => new Eddm(), read: Eddm.fromJSON, binary: true },
  HddmA: { make: () => new HddmA({ twoSided: true }), read: HddmA.fromJSON, binary: true },
  HddmW: { make: () => new HddmW({ twoSided: true }), read: HddmW.fromJSON, binary: true },
  Kswin: { make: () => new Kswin({ alpha: 1e-4 }), read: Kswin.fromJSON, binary: false },
  Cusum: { make: () => new Cusum(), read: Cusum.fromJSON, binary: false },
  Ewma: { make: () => new Ewma(), read: Ewma.fromJSON, binary: false },
  GaussianGlr: { make: () => new GaussianGlr(), read: GaussianGlr.fromJSON, binary: false },
  BernoulliGlr: { make: () => new BernoulliGlr(), read: BernoulliGlr.fromJSON, binary: true },
  Bocpd: { make: () => new Bocpd(), read: Bocpd.fromJSON, binary: false },
};

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

function stream(binary: boolean, seed: number): number[] {
  const random = generator(seed);
  return Array.from({ length: 1200 }, (_, i) => {
    if (binary) return random.uniform() < (i < 800 ? 0.1 : 0.6) ? 1 : 0;
    return 50 + random.normal() + (i < 800 ? 0 : 2);
  });
}

describe.each(Object.entries(kinds))("%s", (_, kind) => {
  test("reports a change soon after it, with the levels before and after", () => {
    const detector = kind.make();
    const found = stream(kind.binary, 4).map((x) => detector.update(x));
    const at = found.findIndex((evidence, i) => i >= 800 && evidence?.level === "drift");
    expect(at).toBeGreaterThanOrEqual(800);
    expect(at).toBeLessThan(900);
    const evidence = found[at]!;
    expect(evidence.after).toBeGreaterThan(evidence.before);
    expect(evidence.window).toBeGreaterThanOrEqual(1);
  });

  test("goes on bit-identically after a round trip through JSON text, at any moment", () => {
    const values = stream(kind.binary, 8);
    for (const cut of [0, 1, 37, 500, 799, 815, 1100]) {
      const whole = kind.make();
      for (const x of values.slice(0, cut)) whole.update(x);
      const restored = kind.read(JSON.parse(JSON.stringify(whole)));
      for (const x of values.slice(cut)) expect(restored.update(x)).toEqual(whole.update(x));
      expect(JSON.stringify(restored)).toBe(JSON.stringify(whole));
    }
  });

  test("ignores values that are not finite, and refuses a state that it did not write", () => {
    const detector = kind.make();
    const before = JSON.stringify(detector);
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(detector.update(x)).toBeUndefined();
    expect(JSON.stringify(detector)).toBe(before);
    for (const json of [null, 3, [], {}, "x"]) {
      expect(() => kind.read(json)).toThrowError(expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }));
    }
  });
});

describe.each(Object.entries(kinds))("%s, fed with anything finite,", (_, kind) => {
  test("says nothing about a constant", () => {
    for (const value of [0, 0.1, 5, 1e6, -1e9]) {
      const detector = kind.make();
      const found = Array.from({ length: 2000 }, () => detector.update(value)?.level);
      expect(found).not.toContain("drift");
    }
  });

  const notFinite = (found: readonly (StreamEvidence | undefined)[]): unknown[] =>
    found.flatMap((evidence) =>
      Object.entries(evidence ?? {}).filter(([name, x]) => name !== "level" && !Number.isFinite(x)),
    );

  test("reports finite numbers when a constant jumps", () => {
    for (const [before, after] of [
      [5, 6],
      [123456789.123, 0.1],
      [1e12, 3],
    ] as const) {
      const detector = kind.make();
      expect(notFinite(times(1500, (i) => detector.update(i < 1000 ? before : after)))).toEqual([]);
    }
  });

  test("can always be stored and read back", () => {
    const random = generator(3);
    for (const odd of [1, 1e9, 1e100, 1e160, Number.MAX_VALUE, Number.MIN_VALUE, 0]) {
      const detector = kind.make();
      const found = times(300, (i) => {
        const isOdd = i % 50 === 3 || i > 260;
        const sign = random.uniform() < 0.5 && i < 280 ? -1 : 1;
        const evidence = detector.update(sign * (isOdd ? odd : random.uniform()));
        if (isOdd) kind.read(JSON.parse(JSON.stringify(detector)));
        return evidence;
      });
      expect(notFinite(found)).toEqual([]);
    }
  });
});

describe("parity", () => {
  test("detection indices equal those of river 0.19 on every packaged stream", async () => {
    const root = await labelledData();
    if (root === undefined) return;
    const references: Record<string, () => StreamDetector> = {
      "ADWIN(delta=.002)": () => new Adwin(),
      "ADWIN(delta=1e-5)": () => new Adwin({ delta: 1e-5 }),
      "PageHinkley(both,min30,delta.005,thr50,alpha.9999)": () => new PageHinkley(),
      DDM: () => new Ddm(),
      "EDDM(.95,.9)": () => new Eddm(),
      HDDM_A: () => new HddmA(),
      HDDM_W: () => new HddmW(),
    };
    const text = await readFile(join(root, "synthetic/streams.jsonl"), "utf8");
    let compared = 0;
    for (const line of text.trim().split("\n")) {
      const { x, river_0_19 } = JSON.parse(line) as { x: number[]; river_0_19: Record<string, number[]> };
      for (const [name, expected] of Object.entries(river_0_19)) {
        const detector = references[name]!();
        expect(x.flatMap((v, i) => (detector.update(v)?.level === "drift" ? [i] : []))).toEqual(expected);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(100);
  });
});

describe("details that are known", () => {
  test("ADWIN tests only every 32 values, and is blind to a change of scale", () => {
    const random = generator(6);
    const adwin = new Adwin();
    const found = Array.from({ length: 3000 }, (_, i) => adwin.update(random.normal() * (i < 1500 ? 1 : 3)));
    expect(found.every((evidence) => evidence === undefined)).toBe(true);
    const shifted = new Adwin();
    const at = Array.from({ length: 400 }, (_, i) =>
      shifted.update(i < 200 ? 0 : 10) === undefined ? -1 : i,
    ).find((i) => i >= 0)!;
    expect((at + 1) % 32).toBe(0);
  });

  test("ADWIN tests against a number also where the rounding of large values leaves no variance", () => {
    const adwin = new Adwin();
    const level = 3058828715262.39;
    const found = times(1500, (i) => adwin.update(i % 118 === 0 ? level + 0.014 : level));
    const thresholds = found.flatMap((evidence) => evidence?.threshold ?? []);
    expect(thresholds.filter((threshold) => Number.isNaN(threshold))).toEqual([]);
  });

  test("the GLR for scale finds what ADWIN cannot", () => {
    const random = generator(6);
    const glr = new GaussianGlr();
    const found = Array.from({ length: 2000 }, (_, i) =>
      glr.update(1e6 + random.normal() * (i < 1500 ? 1 : 3)),
    );
    const at = found.findIndex((evidence) => evidence !== undefined);
    expect(at).toBeGreaterThanOrEqual(1500);
    expect(at).toBeLessThan(1560);
  });

  test("KSWIN alarms on unchanged values about as often as its test allows", () => {
    const random = generator(12);
    const kswin = new Kswin({ alpha: 0.005 });
    const found = Array.from({ length: 20_000 }, () => kswin.update(random.normal())).filter(
      (evidence) => evidence !== undefined,
    );
    // The reference implementation alarms some 10 to 40 times per 10,000 at this significance.
    expect(found.length).toBeGreaterThan(10);
    expect(found.length).toBeLessThan(90);
  });

  test("the first value that differs from a constant is a change to that value", () => {
    for (const detector of [new Cusum(), new Ewma({ lambda: 1 }), new GaussianGlr()]) {
      for (let i = 0; i < 300; i++) detector.update(5);
      const found = detector.update(6);
      expect(found).toMatchObject({ level: "drift", before: 5, window: 1 });
      expect(found!.after).toBeCloseTo(6, 6);
    }
  });

  test("a stray first value does not pass for the normal scale", () => {
    for (const make of [() => new GaussianGlr(), () => new Bocpd()]) {
      let alarmed = 0;
      for (let run = 0; run < 40; run++) {
        const random = generator(run);
        const detector = make();
        for (let i = 0; i < 300; i++) {
          if (detector.update(i === 0 ? 30 : 1 + 0.1 * random.normal()) === undefined) continue;
          alarmed++;
          break;
        }
      }
      expect(alarmed).toBeLessThanOrEqual(3);
    }
  });

  test("a state that no detector wrote is refused before it is worked with", () => {
    const rows = (of: number) => [Array(4).fill(0), [0, 0], Array(of).fill(0)];
    const parts = { delta: 0.002, total: 600, variance: 0, tick: 31, drifted: false };
    const adwin = { ...parts, totals: rows(3), variances: rows(3), width: 20 };
    expect(Adwin.fromJSON(adwin).width).toBe(20);
    const settled = new Bocpd();
    const random = generator(1);
    for (let i = 0; i < 30; i++) settled.update(random.normal());
    const bocpd = JSON.parse(JSON.stringify(settled)) as { runs: number[][] };
    const withRun = (place: number, value: number) => ({
      ...bocpd,
      runs: [bocpd.runs[0]!.map((x, i) => (i === place ? value : x)), ...bocpd.runs.slice(1)],
    });
    const glr = JSON.parse(JSON.stringify(new GaussianGlr())) as { history: object };
    const hostile = [
      () => GaussianGlr.fromJSON({ ...glr, history: { ...glr.history, rows: [[1, 2]] } }),
      () => GaussianGlr.fromJSON({ ...glr, location: { centre: 0, scale: -1 } }),
      () => Adwin.fromJSON({ ...adwin, width: 1e15 }),
      () => Adwin.fromJSON({ ...adwin, variances: rows(2) }),
      () => Adwin.fromJSON({ ...adwin, totals: rows(0), variances: rows(0), width: 8 }),
      () => Bocpd.fromJSON(withRun(4, -1e15)),
      () => Bocpd.fromJSON(withRun(3, 0)),
      () => Bocpd.fromJSON(withRun(1, 7)),
      () => Bocpd.fromJSON({ ...bocpd, runs: [] }),
      () => Bocpd.fromJSON({ ...bocpd, scale: -1 }),
    ];
    for (const read of hostile)
      expect(read).toThrowError(expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }));
  });

  test("options outside their range are refused by name", () => {
    const bad = [
      () => new Adwin({ delta: 0 }),
      () => new PageHinkley({ threshold: 0 }),
      () => new Ddm({ warnAt: 4 }),
      () => new Eddm({ warnAt: 0.1 }),
      () => new HddmA({ driftConfidence: 2 }),
      () => new HddmW({ lambda: 0 }),
      () => new Kswin({ statSize: 80 }),
      () => new Cusum({ warmUp: 1 }),
      () => new Ewma({ lambda: 2 }),
      () => new GaussianGlr({ maxFalseAlarmsPer10k: 0 }),
      () => new Bocpd({ maxRuns: 1 }),
      () => new Bocpd({ expectedRun: Number.POSITIVE_INFINITY }),
      () => new Cusum({ slack: Number.NaN }),
      () => new Cusum({ slack: -1 }),
      () => new Cusum({ threshold: Number.POSITIVE_INFINITY }),
      () => new Ewma({ limit: Number.POSITIVE_INFINITY }),
      () => new PageHinkley({ delta: Number.NaN }),
      () => new PageHinkley({ minObservations: Number.NaN }),
      () => new Ddm({ warmUp: Number.NaN }),
      () => new Ddm({ driftAt: Number.POSITIVE_INFINITY }),
      () => new Eddm({ warmUp: -1 }),
      () => new Eddm({ warnAt: Number.POSITIVE_INFINITY }),
      () => new Kswin({ seed: Number.NaN }),
    ];
    for (const make of bad)
      expect(make).toThrowError(expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }));
  });
});
