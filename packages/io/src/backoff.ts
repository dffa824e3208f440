/**
 * How long to wait before the next try, as a value: it holds no timer, `next` gives the one after it.
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog (2015): of the ways to spread
 * clients that failed together, full jitter needs the fewest calls and about the least time.
 */
export interface Backoff {
  readonly delayMs: number;
  next(): Backoff;
}

/** Options of {@link exponentialBackoff}. */
export interface BackoffOptions {
  /** The ceiling of the first delay, in milliseconds; default 20. It doubles with each further one. */
  readonly baseDelayMs?: number;
  /** The ceiling of every delay, in milliseconds; default 2,000. */
  readonly maxDelayMs?: number;
  /** `"full"` (default): anywhere from 0 to the ceiling. `"equal"`: in its upper half. `"none"`: the ceiling itself. */
  readonly jitter?: "full" | "equal" | "none";
  /** A number from 0 to below 1; default `Math.random`. */
  readonly random?: () => number;
}

/** The first delay of an exponential backoff. */
export function exponentialBackoff(options: BackoffOptions = {}): Backoff {
  const { baseDelayMs = 20, maxDelayMs = 2000, jitter = "full", random = Math.random } = options;
  const at = (ceilingMs: number): Backoff => {
    const share = jitter === "full" ? random() : jitter === "equal" ? 0.5 + random() / 2 : 1;
    return { delayMs: ceilingMs * share, next: () => at(Math.min(ceilingMs * 2, maxDelayMs)) };
  };
  return at(Math.min(baseDelayMs, maxDelayMs));
}
