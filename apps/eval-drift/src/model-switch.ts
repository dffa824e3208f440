import { Adwin, Ewma, type Signal } from "@ckpt/drift";
import { readCsv, readText } from "./data.js";
import { compare, percent, plain, type Section } from "./report.js";
import { quantile } from "./statistics.js";
import { monitorAlarms } from "./synthetic.js";

interface Stream {
  readonly a: string;
  readonly b: string;
  readonly change: number | null;
  readonly rows: readonly (readonly number[])[];
}

interface Outcome {
  readonly a: string;
  readonly b: string;
  readonly change: number | null;
  readonly alarms: readonly number[];
}

type Run = (stream: Stream, metrics: readonly string[]) => number[];

const runMonitor: Run = (stream, metrics) =>
  monitorAlarms(
    stream.rows.map(
      (row): Signal => ({ metrics: Object.fromEntries(metrics.map((name, i) => [name, row[i]!])) }),
    ),
  );

/** The first alarm of any metric's own detector counts. */
const runEach =
  (make: () => { update(x: number): unknown }): Run =>
  (stream, metrics) => {
    const detectors = metrics.map(make);
    return stream.rows.flatMap((row, i) => {
      const found = detectors.map((detector, j) => detector.update(row[j]!) !== undefined);
      return found.includes(true) ? [i] : [];
    });
  };

/** A model is switched behind an agent's back: found, how fast, and how often for nothing. */
export async function evaluateModelSwitch(root: string): Promise<Section> {
  const { metrics, streams } = await load(root);
  const outcomes = measure(streams, metrics, runMonitor);
  const s = summarize(outcomes, streams);
  const row = (name: string, run: Run): string[] => {
    const x = summarize(measure(streams, metrics, run), streams);
    return [
      name,
      percent(x.found),
      `${plain(x.median)} / ${plain(x.p90)}`,
      percent(x.before),
      plain(x.nullRate),
    ];
  };
  return {
    id: 3,
    title: "Model switch (six metrics per run)",
    figures: [
      compare("found", s.found, ">=", 0.98, percent),
      compare("median delay, runs", s.median, "<=", 10),
      compare("p90 delay, runs", s.p90, "<=", 40),
      compare("alarmed before the change", s.before, "<=", 0.05, percent),
      compare("false alarms per 10k on null streams", s.nullRate, "<=", 5),
    ],
    baselines: [
      ["", "found", "median / p90", "before", "null /10k"],
      row(
        "EWMA per metric",
        runEach(() => new Ewma({ warmUp: 50 })),
      ),
      row(
        "ADWIN per metric",
        runEach(() => new Adwin()),
      ),
    ],
    notes: [
      `${streams.length} streams, ${streams.filter((x) => x.change === null).length} of them without a change`,
    ],
    raw: outcomes,
  };
}

async function load(root: string): Promise<{ metrics: string[]; streams: Stream[] }> {
  const meta = JSON.parse(await readText(root, "adb/streams.json")) as {
    metrics: string[];
    L: number;
    streams: { a: string; b: string; change: number | null; tasks: number[] }[];
  };
  const { header, rows } = await readCsv(root, "adb/runs.csv");
  const columns = meta.metrics.map((name) => header.indexOf(name));
  const byRun = new Map(rows.map((row) => [`${row[0]}|${row[1]}`, columns.map((c) => Number(row[c]))]));
  const streams = meta.streams.map(({ a, b, change, tasks }) => ({
    a,
    b,
    change,
    rows: tasks.map((task, i) => byRun.get(`${i < meta.L ? a : b}|${task}`)!),
  }));
  return { metrics: meta.metrics, streams };
}

function measure(streams: readonly Stream[], metrics: readonly string[], run: Run): Outcome[] {
  return streams.map((stream) => ({
    a: stream.a,
    b: stream.b,
    change: stream.change,
    alarms: run(stream, metrics),
  }));
}

function summarize(outcomes: readonly Outcome[], streams: readonly Stream[]) {
  const changed = outcomes.filter((o) => o.change !== null);
  const nulls = outcomes.filter((o) => o.change === null);
  const delays = changed.flatMap((o) => {
    const first = o.alarms.find((at) => at >= o.change!);
    return first === undefined ? [] : [first - o.change!];
  });
  const observations = streams.filter((s) => s.change === null).reduce((n, s) => n + s.rows.length, 0);
  return {
    found: delays.length / changed.length,
    median: quantile(delays, 0.5),
    p90: quantile(delays, 0.9),
    before: changed.filter((o) => o.alarms.some((at) => at < o.change!)).length / changed.length,
    nullRate: (nulls.reduce((n, o) => n + o.alarms.length, 0) / observations) * 1e4,
  };
}
