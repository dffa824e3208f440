import { CkptError } from "@ckpt/errors";
import { notNegative } from "./not-negative.js";

/**
 * How long to wait before the next try, as a value: it holds no timer, `next` gives the one after it.
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog (2015): of the ways to spread
 * clients that failed together, full jitter needs the fewest calls and about the least time.
 */
export interface Backoff {
  /** In milliseconds; at most 2³¹−1, some 25 days, which is the longest that a timer can wait. */
  readonly delayMs: number;
  next(): Backoff;
}

/** Options of {@link exponentialBackoff}. */
export interface BackoffOptions {
  /** The ceiling of the first delay, in milliseconds, from 0 on; default 20. It doubles with each further one. */
  readonly baseDelayMs?: number;
  /** The ceiling of every delay, in milliseconds, from 0 on; default 2,000. Above 2³¹−1 it counts as that. */
  readonly maxDelayMs?: number;
  /** `"full"` (default): anywhere from 0 to the ceiling. `"equal"`: in its upper half. `"none"`: the ceiling itself. */
  readonly jitter?: "full" | "equal" | "none";
  /** A number from 0 to below 1; default `Math.random`. */
  readonly random?: () => number;
}

/** A longer timer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The first delay of an exponential backoff. Throws `CKPT_INVALID_ARGUMENT` for a delay that is negative or NaN, and for another jitter. */
export function exponentialBackoff(options: BackoffOptions = {}): Backoff {
  checkBackoffOptions(options);
  const { baseDelayMs = 20, maxDelayMs = 2000, jitter = "full", random = Math.random } = options;
  const mostMs = Math.min(maxDelayMs, MAX_TIMER_MS);
  const at = (ceilingMs: number): Backoff => {
    const share = jitter === "full" ? random() : jitter === "equal" ? 0.5 + random() / 2 : 1;
    return { delayMs: ceilingMs * share, next: () => at(Math.min(ceilingMs * 2, mostMs)) };
  };
  return at(Math.min(baseDelayMs, mostMs));
}

/** Throws `CKPT_INVALID_ARGUMENT` where {@link exponentialBackoff} would; for those who need no delay yet. */
export function checkBackoffOptions({ baseDelayMs, maxDelayMs, jitter = "full" }: BackoffOptions): void {
  if (baseDelayMs !== undefined) notNegative(baseDelayMs, "baseDelayMs");
  if (maxDelayMs !== undefined) notNegative(maxDelayMs, "maxDelayMs");
  if (jitter === "full" || jitter === "equal" || jitter === "none") return;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `The option jitter is ${String(jitter)}; it must be "full", "equal" or "none"`,
    hint: "Leave it out to get the default.",
    details: { argument: "jitter", value: jitter },
  });
}
