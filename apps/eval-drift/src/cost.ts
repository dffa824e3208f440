import { Adwin, monitor, PageHinkley, type Signal } from "@ckpt/drift";
import { SeededRandom } from "./random.js";
import { compare, type Section } from "./report.js";

const ROUNDS = 7;

/** CPU time per observation, the best of several rounds, and the size of the stored state. */
export function evaluateCost(quick: boolean, seed: number): Section {
  const n = quick ? 20_000 : 100_000;
  const random = new SeededRandom(seed);
  const values = Float64Array.from({ length: n }, () => random.normal());
  const signals = Array.from({ length: n }, (): Signal => ({ metrics: sixMetrics(random) }));
  const adwin = fastest(n, () => {
    const detector = new Adwin();
    for (let i = 0; i < n; i++) detector.update(values[i]!);
  });
  const pageHinkley = fastest(n, () => {
    const detector = new PageHinkley();
    for (let i = 0; i < n; i++) detector.update(values[i]!);
  });
  let bytes = 0;
  const whole = fastest(n, () => {
    const watcher = monitor();
    for (let i = 0; i < n; i++) watcher.observe(signals[i]!);
    bytes = JSON.stringify(watcher).length;
  });
  return {
    id: 8,
    title: "Cost (CPU time of this process per observation)",
    figures: [
      compare("ADWIN, ns", adwin, "<=", 350, (x) => x.toFixed(0)),
      compare("whole monitor with 6 metrics, us", whole / 1000, "<=", 5),
      { what: "stored monitor after the run, kB", reached: (bytes / 1000).toFixed(1), bar: "bounded" },
    ],
    baselines: [
      ["Page-Hinkley, ns", pageHinkley.toFixed(0)],
      ["river (published): ADWIN, Page-Hinkley, ns", "1696, 429"],
    ],
    raw: { adwinNs: adwin, pageHinkleyNs: pageHinkley, monitorNs: whole, bytes },
  };
}

function sixMetrics(random: SeededRandom): Record<string, number> {
  return {
    durationMs: Math.exp(random.normal()),
    tokens: Math.round(Math.exp(5 + random.normal())),
    bytes: Math.exp(8 + random.normal()),
    retries: random.uniform() < 0.1 ? 1 : 0,
    turns: 1 + random.below(8),
    score: random.normal(),
  };
}

/** Nanoseconds of CPU time per observation. */
function fastest(n: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    work();
    const used = process.cpuUsage(before);
    best = Math.min(best, ((used.user + used.system) * 1000) / n);
  }
  return best;
}
