import { Adwin, Cusum, monitor, PageHinkley, type Signal, type StreamDetector } from "@ckpt/drift";
import type { EvalOptions } from "./arguments.js";
import { readJsonLines } from "./data.js";
import { changeKinds, generate, nullKinds, type StreamKind } from "./generators.js";
import { compare, type Figure, percent, plain, type Section } from "./report.js";
import { median, poissonInterval } from "./statistics.js";

const CHANGE = 1000;
const LENGTH = 2000;
const NULL_LENGTH = 4000;

/** Calls back with the alarms of one detector on one stream. */
type Run = (values: readonly number[], binary: boolean) => number[];

const FALSE_ALARM_BARS: Readonly<Record<string, number>> = {
  gauss: 1,
  lognormal: 1,
  "bernoulli 5 %": 1,
  "student-t3": 3,
  "AR(1) .5": 3,
};
const DELAY_BARS: Readonly<Record<string, number>> = {
  "mean +0.5 sd": 170,
  "mean +1 sd": 45,
  "sd x2": 45,
  "lognormal x1.5": 90,
  "gradual 0 to 1 sd in 500": 330,
  "errors 5 to 15 %": 300,
  "errors 5 to 30 %": 65,
};

/** Numbers of the observations at which the default monitor's verdict rises to drift. */
export function monitorAlarms(signals: Iterable<Signal>): number[] {
  const watcher = monitor();
  const alarms: number[] = [];
  let i = 0;
  for (const signal of signals) {
    const verdict = watcher.observe(signal);
    if (verdict.raised && verdict.level === "drift") alarms.push(i);
    i++;
  }
  return alarms;
}

const runMonitor: Run = (values, binary) =>
  monitorAlarms(
    values.map((x) => (binary ? { outcome: x === 1 ? "error" : "ok" } : { metrics: { value: x } })),
  );

const runStream =
  (make: () => StreamDetector): Run =>
  (values) => {
    const detector = make();
    return values.flatMap((x, i) => (detector.update(x)?.level === "drift" ? [i] : []));
  };

interface Delays {
  readonly delays: number[];
  readonly missed: number;
  readonly alarmedBefore: number;
}

/** False alarms per 10,000 on generated streams without a change, delays on generated streams with one. */
export async function evaluateSynthetic(options: EvalOptions): Promise<Section> {
  const nullStreams = options.quick ? 10 : 60;
  const changeStreams = options.quick ? 20 : 200;
  const figures: Figure[] = [];
  const raw: Record<string, unknown> = {};
  for (const kind of nullKinds) {
    const alarms = countAlarms(runMonitor, kind, nullStreams, options.seed);
    const n = nullStreams * NULL_LENGTH;
    const [low, high] = poissonInterval(alarms).map((x) => (x / n) * 1e4) as [number, number];
    const figure = compare(
      `false alarms per 10k, ${kind.name}`,
      (alarms / n) * 1e4,
      "<=",
      FALSE_ALARM_BARS[kind.name]!,
    );
    figures.push({ ...figure, reached: `${figure.reached} (${low.toFixed(2)}..${high.toFixed(2)}) of ${n}` });
    raw[`null ${kind.name}`] = { alarms, observations: n, interval: [low, high] };
  }
  for (const kind of changeKinds) {
    const found = measureDelays(runMonitor, kind, changeStreams, options.seed);
    const figure = compare(`median delay, ${kind.name}`, median(found.delays), "<=", DELAY_BARS[kind.name]!);
    const missed = found.missed / changeStreams;
    figures.push({
      ...figure,
      reached: `${figure.reached} (missed ${percent(missed)}, before ${percent(found.alarmedBefore / changeStreams)})`,
    });
    if (kind.name === "errors 5 to 15 %")
      figures.push(compare(`missed, ${kind.name}`, missed, "<=", 0.05, percent));
    raw[kind.name] = found;
  }
  raw.packaged = await packagedStreams(options.data);
  return {
    id: 2,
    title: "Synthetic streams: false alarms and delay (generated; 95 % intervals)",
    figures,
    baselines: baselines(options.quick ? 5 : 25, options.seed),
    raw,
  };
}

function countAlarms(run: Run, kind: StreamKind, streams: number, seed: number): number {
  let alarms = 0;
  for (let i = 0; i < streams; i++) {
    alarms += run(generate(kind, NULL_LENGTH, NULL_LENGTH, seed * 1e6 + i), kind.binary).length;
  }
  return alarms;
}

function measureDelays(run: Run, kind: StreamKind, streams: number, seed: number): Delays {
  const delays: number[] = [];
  let missed = 0;
  let alarmedBefore = 0;
  for (let i = 0; i < streams; i++) {
    const alarms = run(generate(kind, LENGTH, CHANGE, seed * 1e6 + 500_000 + i), kind.binary);
    if (alarms.some((at) => at < CHANGE)) alarmedBefore++;
    const first = alarms.find((at) => at >= CHANGE);
    if (first === undefined) missed++;
    else delays.push(first - CHANGE);
  }
  return { delays, missed, alarmedBefore };
}

function baselines(streams: number, seed: number): string[][] {
  const detectors: [string, Run][] = [
    ["ADWIN .002", runStream(() => new Adwin())],
    ["Page-Hinkley", runStream(() => new PageHinkley())],
    ["CUSUM .5/8", runStream(() => new Cusum())],
  ];
  const header = [
    "",
    ...nullKinds.map((kind) => `${kind.name} /10k`),
    ...changeKinds.map((kind) => kind.name),
  ];
  const rows = detectors.map(([name, run]) => [
    name,
    ...nullKinds.map((kind) => plain((countAlarms(run, kind, streams, seed) / streams / NULL_LENGTH) * 1e4)),
    ...changeKinds.map((kind) => {
      const found = measureDelays(run, kind, streams, seed);
      return found.missed > streams / 2 ? "blind" : plain(median(found.delays));
    }),
  ]);
  return [header, ...rows];
}

interface PackagedStream {
  readonly kind: string;
  readonly change: number | null;
  readonly x: readonly number[];
}

/** Alarms of the default monitor on the streams that came with the data. */
async function packagedStreams(root: string): Promise<unknown> {
  const streams = await readJsonLines<PackagedStream>(root, "synthetic/streams.jsonl");
  return streams.map(({ kind, change, x }) => ({
    kind,
    change,
    alarms: runMonitor(
      x,
      x.every((v) => v === 0 || v === 1),
    ),
  }));
}
