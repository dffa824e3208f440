import { SeededRandom } from "./random.js";

/** A kind of stream: what it is before the change, and after. */
export interface StreamKind {
  readonly name: string;
  /** Values are 0 and 1: outcomes of steps. */
  readonly binary: boolean;
  /** The next value; `since` is the number of values since the change, below 0 before it. */
  readonly next: (random: SeededRandom, since: number, last: number) => number;
}

const LOG_SD = 0.6;

/** Streams without a change. */
export const nullKinds: readonly StreamKind[] = [
  { name: "gauss", binary: false, next: (r) => r.normal() },
  { name: "lognormal", binary: false, next: (r) => Math.exp(LOG_SD * r.normal()) },
  { name: "student-t3", binary: false, next: studentT3 },
  { name: "bernoulli 5 %", binary: true, next: (r) => (r.uniform() < 0.05 ? 1 : 0) },
  { name: "AR(1) .5", binary: false, next: (r, _, last) => 0.5 * last + r.normal() },
];

/** Streams with a change. */
export const changeKinds: readonly StreamKind[] = [
  { name: "mean +0.5 sd", binary: false, next: (r, since) => r.normal() + (since >= 0 ? 0.5 : 0) },
  { name: "mean +1 sd", binary: false, next: (r, since) => r.normal() + (since >= 0 ? 1 : 0) },
  { name: "sd x2", binary: false, next: (r, since) => r.normal() * (since >= 0 ? 2 : 1) },
  {
    name: "lognormal x1.5",
    binary: false,
    next: (r, since) => Math.exp(LOG_SD * r.normal()) * (since >= 0 ? 1.5 : 1),
  },
  {
    name: "gradual 0 to 1 sd in 500",
    binary: false,
    next: (r, since) => r.normal() + Math.min(1, Math.max(0, since) / 500),
  },
  {
    name: "errors 5 to 15 %",
    binary: true,
    next: (r, since) => (r.uniform() < (since >= 0 ? 0.15 : 0.05) ? 1 : 0),
  },
  {
    name: "errors 5 to 30 %",
    binary: true,
    next: (r, since) => (r.uniform() < (since >= 0 ? 0.3 : 0.05) ? 1 : 0),
  },
];

/** A stream of `length` values that changes at `change` (never, when it is not below the length). */
export function generate(kind: StreamKind, length: number, change: number, seed: number): number[] {
  const random = new SeededRandom(seed);
  const values: number[] = [];
  let last = 0;
  for (let i = 0; i < length; i++) {
    last = kind.next(random, i - change, last);
    values.push(last);
  }
  return values;
}

function studentT3(random: SeededRandom): number {
  const chi = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
  return random.normal() / Math.sqrt(chi / 3);
}
