import type { Absent, Contestant } from "./contestant.js";

/** What one scenario measured: rows of contestants with a main figure, and what the bars say of it. */
export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** Whether a larger figure is better. */
  readonly higherIsBetter: boolean;
  readonly rows: readonly ResultRow[];
  readonly bars: readonly BarResult[];
  readonly notes: readonly string[];
}

export interface ResultRow {
  readonly name: string;
  readonly kind: Contestant["kind"];
  readonly durability: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Ours divided by this one (or the inverse where lower is better): above 1 means that ours is better. */
  readonly oursRatio: number | null;
}

/** A figure with the bar that it has to reach. */
export interface BarResult {
  readonly what: string;
  readonly value: number;
  readonly bar: string;
  readonly met: boolean;
}

export interface Run {
  readonly quick: boolean;
  readonly rounds: number;
  readonly seed: number;
  readonly contestants: { readonly present: readonly Contestant[]; readonly absent: readonly Absent[] };
  /** Says on stderr what is going on. */
  progress(text: string): void;
  /** A fresh directory that is removed after the run. */
  directory(): Promise<string>;
  /** Runs `dist/child.js` in a fresh process; `work` is a task's name, the result its last line as JSON. */
  child<T>(work: string, argument: unknown, nodeFlags?: readonly string[]): Promise<T>;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Ours are measured beside the peers: only for these are the peers fetched. */
  readonly usesPeers?: true;
  run(run: Run): Promise<ScenarioResult>;
}

export const bar = (
  what: string,
  value: number,
  relation: "≥" | "≤",
  limit: number,
  unit = "x",
): BarResult => ({
  what,
  value,
  bar: `${relation} ${limit}${unit}`,
  met: relation === "≥" ? value >= limit : value <= limit,
});

/** Rows from the values of each contestant, with our median's ratio to each. */
export function rows(
  values: ReadonlyMap<Contestant, readonly number[]>,
  higherIsBetter: boolean,
): ResultRow[] {
  const median = (v: readonly number[]) =>
    [...v].sort((a, b) => a - b)[Math.floor((v.length - 1) / 2)] ?? Number.NaN;
  const own = [...values].find(([c]) => c.kind === "ours");
  const ownMedian = own ? median(own[1]) : Number.NaN;
  return [...values].map(([contestant, v]) => ({
    name: contestant.name,
    kind: contestant.kind,
    durability: contestant.durability,
    median: median(v),
    min: Math.min(...v),
    max: Math.max(...v),
    oursRatio:
      contestant.kind === "ours" ? null : higherIsBetter ? ownMedian / median(v) : median(v) / ownMedian,
  }));
}

export const ratioTo = (result: readonly ResultRow[], name: string): number =>
  result.find((r) => r.name === name)?.oursRatio ?? Number.NaN;
