import type { CheckpointHeader } from "@ckpt/core";
import type { HistoryEntry } from "./policy.js";
import { endsStep } from "./steps.js";

/** Headers that are sorted in one go at most. */
const RUN = 1_024;

/** How many of the entries, oldest first, are older than `sequence`: the index of the first that is not. */
export function countBefore(entries: readonly HistoryEntry[], sequence: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.header.sequence < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* merged(from: readonly CheckpointHeader[], width: number): Generator<void, CheckpointHeader[]> {
  const to: CheckpointHeader[] = [];
  for (let start = 0; start < from.length; start += 2 * width) {
    const middle = Math.min(start + width, from.length);
    const end = Math.min(start + 2 * width, from.length);
    let [left, right] = [start, middle];
    while (left < middle || right < end) {
      if (endsStep(to.length)) yield;
      const takesLeft = right === end || (left < middle && from[left]!.sequence <= from[right]!.sequence);
      to.push(takesLeft ? from[left++]! : from[right++]!);
    }
  }
  return to;
}

/** The headers, oldest first; a stable merge sort, because it can be left and gone on with. */
export function* sortInSteps(
  headers: readonly CheckpointHeader[],
): Generator<void, readonly CheckpointHeader[]> {
  let sorted: CheckpointHeader[] = [];
  for (let start = 0; start < headers.length; start += RUN) {
    const run = headers.slice(start, start + RUN).sort((a, b) => a.sequence - b.sequence);
    sorted.push(...run);
    yield;
  }
  for (let width = RUN; width < sorted.length; width *= 2) sorted = yield* merged(sorted, width);
  return sorted;
}
