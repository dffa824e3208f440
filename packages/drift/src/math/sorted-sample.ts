import { Random } from "./random.js";

/** Up to `capacity` numbers in order, and a source of random numbers of its own for choosing which of them to give up. */
export class SortedSample {
  readonly capacity: number;
  readonly random: Random;
  readonly #values: Float64Array;
  #size = 0;

  constructor(capacity: number, seed: number) {
    this.capacity = capacity;
    this.random = new Random(seed);
    this.#values = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === this.capacity;
  }

  /** The number at `rank`, from 0 for the smallest. */
  at(rank: number): number {
    return this.#values[rank]!;
  }

  /** How many are less than `x`. */
  countBelow(x: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle]! < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many are `x` at most. */
  countUpTo(x: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle]! <= x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds `x` where there is room. */
  add(x: number): void {
    const at = this.countBelow(x);
    this.#values.copyWithin(at + 1, at, this.#size++);
    this.#values[at] = x;
  }

  /** Puts `x` in place of a random one. */
  replaceAny(x: number): void {
    const rank = this.random.below(this.capacity);
    const at = this.countBelow(x);
    if (at <= rank) {
      this.#values.copyWithin(at + 1, at, rank);
      this.#values[at] = x;
    } else {
      this.#values.copyWithin(rank, rank + 1, at);
      this.#values[at - 1] = x;
    }
  }

  /** All of them, in order. */
  values(): number[] {
    return [...this.#values.subarray(0, this.#size)];
  }

  /** Takes over what `values()` and `random.state` were. */
  restore(values: readonly number[], randomState: number): void {
    this.#values.set(values);
    this.#size = values.length;
    this.random.state = randomState | 0;
  }
}
