import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { monitor, type Signal } from "@ckpt/drift";
import { generatePollingRuns } from "./polling.js";
import { SeededRandom } from "./random.js";
import { type Chart, drawChart } from "./svg.js";

/** An episode: signals, what of them is drawn, and where the trouble began. */
interface Episode {
  readonly file: string;
  readonly title: string;
  readonly change: number | undefined;
  readonly signals: readonly Signal[];
  readonly curves: readonly { readonly name: string; readonly of: (signal: Signal, i: number) => number }[];
}

/** Generated, so that the pictures can be drawn again anywhere. */
function episodes(): Episode[] {
  return [slowTool(), modelSwitch(), stalledAgent(), waitingAgent()];
}

function slowTool(): Episode {
  const random = new SeededRandom(11);
  const signals = Array.from(
    { length: 320 },
    (_, i): Signal => ({
      metrics: { durationMs: Math.exp(5 + 0.5 * random.normal()) * (i < 220 ? 1 : 1.8) },
    }),
  );
  const durationMs = (s: Signal): number => s.metrics!.durationMs!;
  return {
    file: "slow-tool.svg",
    title: "A tool becomes slower",
    change: 220,
    signals,
    curves: [{ name: "durationMs", of: durationMs }],
  };
}

function modelSwitch(): Episode {
  const random = new SeededRandom(5);
  const signals = Array.from({ length: 240 }, (_, i): Signal => {
    const later = i < 150 ? 0 : 1;
    const turns = 3 + later + Math.floor(random.uniform() * 3);
    const length = Math.exp(1 + 0.3 * random.normal() + 0.25 * later);
    return { metrics: { turns, length }, outcome: random.uniform() < 0.1 + 0.2 * later ? "error" : "ok" };
  });
  return {
    file: "model-switch.svg",
    title: "Another model answers: small changes in several metrics",
    change: 150,
    signals,
    curves: [
      { name: "turns", of: (s) => s.metrics!.turns! },
      { name: "length", of: (s) => s.metrics!.length! },
    ],
  };
}

/** Curves that show a run's repetition: a number for each new observation, so that going back is going down. */
function firstSeen(): (signal: Signal) => number {
  const seen = new Map<string, number>();
  return (signal) => {
    const observation = signal.observation ?? "";
    if (!seen.has(observation)) seen.set(observation, seen.size);
    return seen.get(observation)!;
  };
}

function stalledAgent(): Episode {
  const step = (action: string, observation: string, error = false): Signal => ({
    action,
    observation,
    outcome: error ? "error" : "ok",
  });
  const work = Array.from({ length: 14 }, (_, i) =>
    step(`read src/part-${i}.ts`, `part ${i} has ${i * 37} lines and ${i * 5} tests`),
  );
  const stuck = Array.from({ length: 14 }, (_, i) =>
    step(
      `npm test -- part-${i % 4}`,
      `${i % 2 === 0 ? "cannot find module" : "test suite failed"} part`,
      i % 3 === 0,
    ),
  );
  return {
    file: "stalled-agent.svg",
    title: "An agent goes round in circles",
    change: work.length,
    signals: [...work, ...stuck],
    curves: [{ name: "number of the observation, in order of first sight", of: firstSeen() }],
  };
}

function waitingAgent(): Episode {
  const run = generatePollingRuns(1, 3)[0]!;
  return {
    file: "waiting-agent.svg",
    title: "An agent waits for a slow job: a warning at most, nothing when the poller is declared",
    change: undefined,
    signals: run.signals.slice(0, 60),
    curves: [{ name: "number of the observation, in order of first sight", of: firstSeen() }],
  };
}

function toChart(episode: Episode): Chart {
  const watcher = monitor();
  return {
    title: episode.title,
    change: episode.change,
    verdicts: episode.signals.map((signal) => watcher.observe(signal)),
    curves: episode.curves.map(({ name, of }) => ({ name, values: episode.signals.map(of) })),
  };
}

/** Draws the pictures of docs/drift.md into `directory`. */
export async function drawCharts(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const files = episodes().map((episode) => ({
    path: join(directory, episode.file),
    svg: drawChart(toChart(episode)),
  }));
  for (const { path, svg } of files) await writeFile(path, svg);
  return files.map(({ path }) => path);
}
