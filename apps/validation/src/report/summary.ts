import type { Counts, Outcome, Scenario } from "../scenario.js";

/** Failures of one scenario that are printed; reports have them all. */
const MOST_FAILURES = 20;

export interface Result {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly ms: number;
}

function total(results: readonly Result[]): Required<Counts> {
  const sum: Required<Counts> = {
    cutStates: 0,
    failedSyncs: 0,
    faultedOperations: 0,
    kills: 0,
    acknowledged: 0,
    damages: 0,
    reads: 0,
    hostileInputs: 0,
    diskFullRuns: 0,
    mutants: 0,
    mutantsCaught: 0,
    lost: 0,
    wrong: 0,
    silent: 0,
  };
  for (const { outcome } of results)
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += outcome.counts[key] ?? 0;
  return sum;
}

/** The last line of a run. */
export function lastLine(results: readonly Result[]): string {
  const t = total(results);
  return (
    `${t.cutStates} cut states, ${t.failedSyncs} failed syncs, ${t.faultedOperations} faulted operations, ${t.kills} kills, ` +
    `${t.damages} damages: ${t.lost} acknowledged lost, ${t.wrong} wrong returned, ${t.silent} silent; ` +
    `${t.mutantsCaught}/${t.mutants} mutants caught`
  );
}

/** What a scenario found, for people: what ran, what it counted, what failed. */
export function lines({ scenario, outcome, ms }: Result): string {
  const counts = Object.entries(outcome.counts)
    .filter(([, n]) => n !== 0)
    .map(([name, n]) => `${n} ${name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)}`);
  const state = outcome.status === "not run" ? `not run, because ${outcome.reason}` : outcome.status;
  const text = [
    `${scenario.name.padEnd(16)} ${state} in ${(ms / 1000).toFixed(1)} s: ${counts.join(", ") || "–"}`,
  ];
  for (const note of outcome.notes ?? []) text.push(`                 ${note}`);
  for (const failure of outcome.failures.slice(0, MOST_FAILURES)) text.push(`  FAILED  ${failure}`);
  const more = outcome.failures.length - MOST_FAILURES;
  if (more > 0) text.push(`  and ${more} more`);
  return text.join("\n");
}
