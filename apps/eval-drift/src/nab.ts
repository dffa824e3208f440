import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Detector, unusual } from "@ckpt/drift";
import { readCsv, readText } from "./data.js";
import { normalize, probation, rawScore, type Window } from "./nab-score.js";
import { compare, plain, type Section } from "./report.js";

const SECONDS_PER_DAY = 86_400;
const BUDGET = 1;

interface Series {
  readonly name: string;
  readonly values: readonly number[];
  readonly windows: readonly Window[];
  /** Points per day, from the time stamps of the probation part. */
  readonly period: number;
}

interface Judged {
  readonly series: Series;
  readonly detections: readonly number[];
  readonly scores: readonly number[];
}

/** NAB, standard profile, with the default threshold; beside it what the best threshold on this very data would give. */
export async function evaluateNab(root: string): Promise<Section> {
  const series = await load(root);
  const judged = series.map(judge);
  const windows = series.reduce((n, s) => n + s.windows.length, 0);
  const total = judged.reduce(
    (sum, j) => sum + rawScore(j.detections, j.series.windows, j.series.values.length),
    0,
  );
  const gaussian = bestThreshold(
    series.map((s) => ({ series: s, scores: windowedGaussian(s.values) })),
    windows,
  );
  return {
    id: 1,
    title: `NAB (${series.length} series, ${windows} windows), standard profile`,
    figures: [compare("score", normalize(total, windows), ">=", 60, plain)],
    baselines: [
      ["never speaks", "0"],
      ["windowed Gaussian, best threshold", plain(gaussian)],
    ],
    notes: ["published on the whole benchmark: windowed Gaussian 39.6, Twitter 47.1, RCF 51.7, HTM 70.1"],
    raw: judged.map((j) => ({
      series: j.series.name,
      detections: j.detections,
      score: rawScore(j.detections, j.series.windows, j.series.values.length),
      windows: j.series.windows,
      scores: j.scores.map((x) => Number(x.toFixed(4))),
    })),
  };
}

async function load(root: string): Promise<Series[]> {
  const labels = JSON.parse(await readText(root, "nab/labels/combined_windows.json")) as Record<
    string,
    [string, string][]
  >;
  const names = (await readdir(join(root, "nab/data"), { recursive: true }))
    .filter((name) => name.endsWith(".csv"))
    .sort();
  return Promise.all(
    names.map(async (file) => {
      const name = file.replaceAll("\\", "/");
      const { rows } = await readCsv(root, `nab/data/${name}`);
      const times = rows.map((row) => seconds(row[0]!));
      const windows = (labels[name] ?? []).map(([from, to]) => ({
        first: times.findIndex((t) => t >= seconds(from)),
        last: times.findLastIndex((t) => t <= seconds(to)),
      }));
      return { name, values: rows.map((row) => Number(row[1])), windows, period: pointsPerDay(times) };
    }),
  );
}

const seconds = (text: string): number => Date.parse(`${text.slice(0, 19).replace(" ", "T")}Z`) / 1000;

function pointsPerDay(times: readonly number[]): number {
  const first = times.slice(0, probation(times.length));
  const steps = first
    .slice(1)
    .map((t, i) => t - first[i]!)
    .sort((a, b) => a - b);
  return Math.max(1, Math.round(SECONDS_PER_DAY / (steps[steps.length >> 1] ?? SECONDS_PER_DAY)));
}

function judge(series: Series): Judged {
  const detector: Detector = unusual("value", { period: series.period });
  const detections: number[] = [];
  const scores = series.values.map((value, index) => {
    const found = detector.observe({ metrics: { value } }, { index, maxFalseAlarmsPer10k: BUDGET });
    if (found !== undefined) detections.push(index);
    return detector.score!();
  });
  return { series, detections, scores };
}

/** The benchmark's own simple baseline: how far a value lies from the mean of the last 6,400, in standard deviations. */
function windowedGaussian(values: readonly number[]): number[] {
  const size = 6400;
  let sum = 0;
  let squares = 0;
  return values.map((x, i) => {
    const n = Math.min(i, size);
    const mean = n === 0 ? 0 : sum / n;
    const sd = Math.sqrt(Math.max(1e-12, n === 0 ? 1 : squares / n - mean * mean));
    sum += x - (i >= size ? values[i - size]! : 0);
    squares += x * x - (i >= size ? values[i - size]! ** 2 : 0);
    return n < 10 ? 0 : Math.abs(x - mean) / sd;
  });
}

function bestThreshold(
  scored: readonly { series: Series; scores: readonly number[] }[],
  windows: number,
): number {
  const all = scored
    .flatMap(({ series, scores }) => scores.slice(probation(series.values.length)))
    .sort((a, b) => b - a);
  let best = 0;
  for (let share = 2e-4; share < 0.05; share *= 1.25) {
    const threshold = all[Math.floor(share * all.length)]!;
    const total = scored.reduce((sum, { series, scores }) => {
      const detections = scores.flatMap((x, i) => (x >= threshold ? [i] : []));
      return sum + rawScore(detections, series.windows, series.values.length);
    }, 0);
    best = Math.max(best, normalize(total, windows));
  }
  return best;
}
