/** What the harness runs: each scenario says what it does and what it proves. */

/** Figures that scenarios share; the last line of a run adds them up. */
export interface Counts {
  cutStates?: number;
  failedSyncs?: number;
  faultedOperations?: number;
  kills?: number;
  acknowledged?: number;
  damages?: number;
  reads?: number;
  hostileInputs?: number;
  diskFullRuns?: number;
  mutants?: number;
  mutantsCaught?: number;
  /** Acknowledged saves that could not be restored. */
  lost?: number;
  /** States returned that were never put. */
  wrong?: number;
  /** Losses that nothing reported. */
  silent?: number;
}

/** A picture of a scenario: a step curve or a histogram, drawn into the report. */
export interface Picture {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Outcome {
  readonly status: "passed" | "failed" | "not run";
  /** Why it was not run. */
  readonly reason?: string;
  readonly counts: Counts;
  /** One line per failure, with the seed that replays it. */
  readonly failures: readonly string[];
  readonly notes?: readonly string[];
  readonly pictures?: readonly Picture[];
}

export interface Context {
  readonly seed: number;
  /** Parts of names: only what has one of them, in scenarios that are made of named parts. */
  readonly parts?: readonly string[] | undefined;
  /** A shortened form with a fixed seed, for the tests. */
  readonly short: boolean;
  /** The store that simulated scenarios drive: a name, or the path of a module. */
  readonly store: string;
  /** How long to repeat what can be repeated for ever, instead of so many times. */
  readonly minutes?: number | undefined;
  /** A live line about what is going on. */
  progress(text: string): void;
  /** A fresh directory on a real disk, removed after the run. */
  directory(): Promise<string>;
  /** Paths of the built programs that scenarios run in processes of their own. */
  readonly driver: string;
  readonly explorer: string;
  readonly tender: string;
}

export interface Scenario {
  readonly name: string;
  readonly does: string;
  readonly proves: string;
  /** It runs on every store; the others look at the files and processes of the disk store. */
  readonly anyStore?: boolean;
  run(context: Context): Promise<Outcome>;
}

export function outcome(counts: Counts, failures: readonly string[], extra: Partial<Outcome> = {}): Outcome {
  const bad = failures.length > 0 || (counts.lost ?? 0) + (counts.wrong ?? 0) + (counts.silent ?? 0) > 0;
  return { status: bad ? "failed" : "passed", counts, failures, ...extra };
}

export const notRun = (reason: string): Outcome => ({ status: "not run", reason, counts: {}, failures: [] });
