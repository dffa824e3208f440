import { type Level, monitor, type Signal, simhash } from "@ckpt/drift";
import { SeededRandom } from "./random.js";

/** A generated run that waits for a slow job. */
export interface PollingRun {
  readonly polls: number;
  readonly style: string;
  readonly signals: readonly Signal[];
  /** The tool to declare. */
  readonly poller: string;
}

const STYLES = ["constant", "percentage", "sleep between", "elapsed time"] as const;

/** Runs of some set-up steps (a third of them silent), 5 to 200 polls, and an end; every fourth in each of four styles of answer. */
export function generatePollingRuns(count: number, seed: number): PollingRun[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const style = STYLES[i % STYLES.length]!;
    const polls = 5 + random.below(196);
    const job = random.below(1e6);
    const signals: Signal[] = [];
    const step = (tool: string, text: string, observation: string): void => {
      signals.push({
        tool,
        action: `${tool} ${text}`,
        observation,
        observationSimhash: simhash(observation),
        outcome: "ok",
      });
    };
    const setUp = 1 + random.below(6);
    for (let k = 0; k < setUp; k++) {
      const silent = random.uniform() < 0.3;
      const wrote = `stage ${k} wrote ${random.below(1e6)} rows to table ${random.below(1e6)}`;
      step("run", `prepare stage ${k} of job ${job}`, silent ? "" : wrote);
    }
    step("submit", `job ${job}`, `accepted job ${job} in queue ${random.below(100)}`);
    for (let k = 0; k < polls; k++) {
      if (style === "sleep between") step("wait", "30", "");
      step("job_status", `${job}`, answer(style, job, k, polls));
    }
    step("job_status", `${job}`, `job ${job} finished with ${random.below(1e6)} rows`);
    step("fetch", `result of ${job}`, `table of ${random.below(1e6)} rows and ${random.below(100)} columns`);
    return { polls, style, signals, poller: "job_status" };
  });
}

function answer(style: string, job: number, k: number, polls: number): string {
  if (style === "percentage") return `job ${job} is running: ${Math.floor((100 * k) / polls)} percent done`;
  if (style === "elapsed time") return `job ${job} is running since ${30 * k} seconds`;
  return `job ${job} is running`;
}

/** The worst level that the default monitor reaches on a run. */
export function worstLevel(run: PollingRun, declared: boolean): Level {
  const watcher = monitor(declared ? { pollers: [run.poller, "wait"] } : {});
  let worst: Level = "ok";
  for (const signal of run.signals) {
    const { level } = watcher.observe(signal);
    if (level === "drift" || (level === "warn" && worst === "ok")) worst = level;
  }
  return worst;
}
