/** Medians and spread of repeated, interleaved measurements. */

export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * fraction;
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (position - below);
}

/** Runs every subject once per round, in an order that rotates, so that a slow minute hits all of them alike. */
export async function interleave<T>(
  subjects: readonly T[],
  rounds: number,
  measure: (subject: T, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1)
    for (let i = 0; i < subjects.length; i += 1)
      await measure(subjects[(i + round) % subjects.length] as T, round);
}

export async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e6;
}
