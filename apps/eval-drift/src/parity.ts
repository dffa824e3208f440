import { Adwin, Ddm, Eddm, HddmA, HddmW, PageHinkley, type StreamDetector } from "@ckpt/drift";
import { readJsonLines } from "./data.js";
import type { Section } from "./report.js";

/** Our detector for each reference in the data, in the reference's own configuration. */
const references: Readonly<Record<string, () => StreamDetector>> = {
  "ADWIN(delta=.002)": () => new Adwin(),
  "ADWIN(delta=1e-5)": () => new Adwin({ delta: 1e-5 }),
  "PageHinkley(both,min30,delta.005,thr50,alpha.9999)": () => new PageHinkley(),
  DDM: () => new Ddm(),
  "EDDM(.95,.9)": () => new Eddm(),
  HDDM_A: () => new HddmA(),
  HDDM_W: () => new HddmW(),
};

interface ReferenceStream {
  readonly kind: string;
  readonly x: readonly number[];
  readonly river_0_19: Readonly<Record<string, readonly number[]>>;
}

/** Detection indices against those of river 0.19, stream by stream. */
export async function evaluateParity(root: string): Promise<Section> {
  const streams = await readJsonLines<ReferenceStream>(root, "synthetic/streams.jsonl");
  const raw: {
    kind: string;
    detector: string;
    expected: readonly number[];
    found: number[];
    equal: boolean;
  }[] = [];
  for (const { kind, x, river_0_19 } of streams) {
    for (const [name, expected] of Object.entries(river_0_19)) {
      const detector = references[name]?.();
      const found =
        detector === undefined ? [] : x.flatMap((v, i) => (detector.update(v)?.level === "drift" ? [i] : []));
      const equal = detector !== undefined && JSON.stringify(found) === JSON.stringify(expected);
      raw.push({ kind, detector: name, expected, found, equal });
    }
  }
  const equal = raw.filter((row) => row.equal).length;
  const figure = {
    what: "streams with equal detection indices",
    reached: `${equal} of ${raw.length}`,
    bar: "all",
    met: equal === raw.length,
  };
  return {
    id: 7,
    title: "Parity with river 0.19",
    figures: [figure],
    baselines: [],
    raw: raw.filter((row) => !row.equal),
  };
}
