/** Ranges of entry numbers, first and last included. */
export type NumberRange = readonly [first: number, last: number];

/** Sorted, and those that touch put together. */
export function mergeRanges(parts: readonly NumberRange[]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...parts].sort((a, b) => a[0] - b[0])) {
    const last = merged[merged.length - 1];
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Answers what ranges leave out, for questions that come in rising order: all of them together cost one pass over the ranges. */
export class Uncovered {
  readonly #ranges: readonly NumberRange[];
  #passed = 0;

  constructor(parts: readonly NumberRange[]) {
    this.#ranges = mergeRanges(parts);
  }

  /** The parts of from..to that no range covers. `from` is not below the `to` of the question before. */
  within(from: number, to: number): [number, number][] {
    const left: [number, number][] = [];
    const ranges = this.#ranges;
    while (this.#passed < ranges.length && ranges[this.#passed]![1] < from) this.#passed++;
    let at = from;
    for (let i = this.#passed; i < ranges.length && ranges[i]![0] <= to; i++) {
      const [start, end] = ranges[i]!;
      if (start > at) left.push([at, start - 1]);
      at = end + 1;
    }
    if (at <= to) left.push([at, to]);
    return left;
  }
}
