/** Naming checkpoints that are known by their sequences only: as many as help, and how many more there are. */

/** At most so many ids are named of one range. */
export const MAX_NAMED = 1000;
/** At most so many are named of several ranges together. What is stored may claim any number of them. */
export const MAX_NAMED_IN_ALL = 10_000;

/** First and last sequence of an agent. */
export type SequenceRange = readonly [agentId: string, first: number, last: number];

/** Ids of the sequences between two known ones, `most` of them at most. */
export function between(agentId: string, after: number, before: number, most: number): string[] {
  const ids: string[] = [];
  const last = Math.min(before - 1, after + Math.min(most, MAX_NAMED));
  for (let sequence = after + 1; sequence <= last; sequence++) ids.push(`${agentId}:${sequence}`);
  return ids;
}

/** Ids of all the ranges, and words for those that are left out. A range that begins at 0 has none. */
export function namedRanges(ranges: readonly SequenceRange[]): { ids: string[]; more: string } {
  const ids: string[] = [];
  let left = 0;
  for (const [agentId, first, last] of ranges) {
    if (first === 0 || last < first) continue;
    const named = between(agentId, first - 1, last + 1, MAX_NAMED_IN_ALL - ids.length);
    for (const id of named) ids.push(id);
    left += last - first + 1 - named.length;
  }
  return { ids, more: left === 0 ? "" : `; it had up to ${left} checkpoints more than are named here` };
}
