import { killAll } from "./process/drivers.js";
import type { Result } from "./report/summary.js";
import { type Context, notRun, type Outcome, type Scenario } from "./scenario.js";

export interface RunOptions {
  readonly seed: number;
  readonly short: boolean;
  readonly minutes?: number | undefined;
  readonly driver: string;
  readonly explorer: string;
  readonly tender: string;
  /** What the scenarios drive; unless it is `disk`, only those run that take any store. */
  readonly store: string;
  readonly parts?: readonly string[] | undefined;
  makeDirectory(): Promise<string>;
  removeDirectory(path: string): Promise<void>;
  show(text: string): void;
  /** Called with what a scenario found, as soon as it ends. */
  onResult?(result: Result): void;
}

/** Runs scenarios one after another; one that throws has failed, with its error as the failure. */
export async function runScenarios(scenarios: readonly Scenario[], options: RunOptions): Promise<Result[]> {
  const results: Result[] = [];
  for (const scenario of scenarios) {
    const made: string[] = [];
    const context: Context = {
      seed: options.seed,
      short: options.short,
      minutes: options.minutes,
      driver: options.driver,
      explorer: options.explorer,
      tender: options.tender,
      store: options.store,
      parts: options.parts,
      progress: (text) => options.show(`${scenario.name}: ${text}`),
      async directory() {
        const path = await options.makeDirectory();
        made.push(path);
        return path;
      },
    };
    const started = Date.now();
    let outcome: Outcome;
    try {
      outcome =
        options.store === "disk" || scenario.anyStore
          ? await scenario.run(context)
          : notRun("it looks at the files and processes of the disk store");
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      outcome = {
        status: "failed",
        counts: {},
        failures: [`the scenario threw (seed ${options.seed}): ${text}`],
      };
    }
    killAll();
    const result = { scenario, outcome, ms: Date.now() - started };
    results.push(result);
    for (const path of made) await options.removeDirectory(path);
    options.onResult?.(result);
  }
  return results;
}
