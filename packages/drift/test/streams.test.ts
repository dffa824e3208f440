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
    ];
    for (const make of bad)
      expect(make).toThrowError(expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }));
  });
});
