/**
 * A small deterministic generator for sampling inside detectors: its state is one number, so it can be stored.
 * Source: the mulberry32 mixing of a Weyl sequence; 32 bits are ample for choosing reservoir slots.
 */
export class Random {
  state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number in 0..n-1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}
