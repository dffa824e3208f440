import { setTimeout as wait } from "node:timers/promises";
import { CkptError, isCkptError } from "@ckpt/errors";
import asyncRetry from "async-retry";
import { abortedError, throwIfAborted } from "./aborted.js";
import { type Backoff, type BackoffOptions, checkBackoffOptions, exponentialBackoff } from "./backoff.js";
import { classify, isTransient, toCkptError } from "./classify.js";
import { notNegative } from "./not-negative.js";
import { positive } from "./positive.js";

/** A try that failed and will be repeated. */
export interface RetryEvent {
  /** The number of the try that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** How long is waited before the next one. */
  readonly delayMs: number;
}

/** Options of {@link retry}. */
export interface RetryOptions extends BackoffOptions {
  /** How often it is tried in all, a whole number from 1 on; default 5. 1 means no retry, Infinity that only `maxElapsedMs` and `signal` end it. */
  readonly tries?: number;
  /** No further try begins later than this after the first, in milliseconds, from 0 on; default 30,000, Infinity for no limit. A running try is not cut off. */
  readonly maxElapsedMs?: number;
  /** Ends the waiting at once with `CKPT_ABORTED`; no try begins afterwards. */
  readonly signal?: AbortSignal;
  /** Called before each wait. */
  readonly onRetry?: (event: RetryEvent) => void;
  /** What is tried, in words, for the error's message; default "finish the operation". */
  readonly doing?: string;
  /** Which errors are worth another try; default: those that {@link classify} calls transient. */
  readonly isRetryable?: (error: unknown) => boolean;
}

type GaveUp = "permanent" | "tries" | "time";

/** Marks what is already final, so that the engine's error handling lets it pass. */
class Final {
  constructor(readonly error: unknown) {}
}

/**
 * Runs `operation` until it succeeds: transient errors are tried again after an exponential backoff with full jitter,
 * bounded by tries, by time and by the signal. Permanent ones fail at once. The memory it takes does not grow with the tries.
 *
 * Rejects with the last error's code (`CKPT_TIMEOUT` when the time ran out, `CKPT_ABORTED`), the last error as `cause`,
 * and `details.attempts`, `details.gaveUp`; with `CKPT_INVALID_ARGUMENT`, before the first try, where an option is not of the
 * documented shape. What `isRetryable`, `random` or `onRetry` throws ends it and comes back as it is. An error that is neither a system error nor a {@link CkptError} is
 * taken for a bug in `operation` and comes back as it is when it is not retryable.
 */
export async function retry<T>(
  operation: (attempt: number) => Promise<T> | T,
  options: RetryOptions = {},
): Promise<T> {
  const run = new RetryRun(operation, options);
  // The engine repeats without delay or end. The waiting is ours, because its own cannot be aborted; so is the count,
  // because it makes a list of all the delays beforehand.
  const engine = { forever: true, retries: 0, minTimeout: 0, factor: 1, randomize: false };
  const result = await asyncRetry((bail) => run.attempt(bail), engine).catch((error: unknown) => {
    throw error instanceof Final ? error.error : error;
  });
  return result as T;
}

/** Throws `CKPT_INVALID_ARGUMENT` where {@link retry} would; for those who get options long before they have something to repeat. */
export function checkRetryOptions(
  options: Pick<RetryOptions, keyof BackoffOptions | "tries" | "maxElapsedMs">,
): void {
  boundsOf(options);
}

function boundsOf(options: Parameters<typeof checkRetryOptions>[0]): { tries: number; maxElapsedMs: number } {
  const tries = positive(options.tries ?? 5, "tries", Number.POSITIVE_INFINITY);
  const maxElapsedMs = notNegative(options.maxElapsedMs ?? 30_000, "maxElapsedMs");
  checkBackoffOptions(options);
  return { tries, maxElapsedMs };
}

class RetryRun<T> {
  readonly #operation: (attempt: number) => Promise<T> | T;
  readonly #options: RetryOptions;
  readonly #bounds: ReturnType<typeof boundsOf>;
  readonly #startedAt = performance.now();
  #backoff: Backoff | undefined;
  #attempts = 0;

  constructor(operation: (attempt: number) => Promise<T> | T, options: RetryOptions) {
    this.#operation = operation;
    this.#options = options;
    this.#bounds = boundsOf(options);
  }

  /** One try, and the wait after it. Throws to be called again; `bail` ends it. */
  async attempt(bail: (error: Error) => void): Promise<T | undefined> {
    let done: { value: T } | undefined;
    try {
      done = await this.#tryAndWait();
    } catch (error) {
      // Whatever it is: what is not bailed out, the engine repeats for ever.
      bail(new Final(error) as unknown as Error);
      return undefined;
    }
    if (done === undefined) throw new Error("again");
    return done.value;
  }

  /** What the try gave; undefined when it failed and the wait before the next one is over. Throws what ends it all. */
  async #tryAndWait(): Promise<{ value: T } | undefined> {
    if (this.#options.signal?.aborted) throw this.#aborted(undefined);
    this.#attempts++;
    try {
      return { value: await this.#operation(this.#attempts) };
    } catch (error) {
      const gaveUp = this.#verdict(error);
      if (gaveUp !== undefined) throw this.#failure(error, gaveUp);
      const delayMs = this.#backoff!.delayMs;
      this.#options.onRetry?.({ attempt: this.#attempts, error, delayMs });
      await this.#wait(delayMs, error);
      return undefined;
    }
  }

  #verdict(error: unknown): GaveUp | undefined {
    const { isRetryable = isTransient } = this.#options;
    if (isCkptError(error, "CKPT_ABORTED") || !isRetryable(error)) return "permanent";
    if (this.#attempts >= this.#bounds.tries) return "tries";
    this.#backoff = this.#backoff?.next() ?? exponentialBackoff(this.#options);
    return performance.now() - this.#startedAt + this.#backoff.delayMs > this.#bounds.maxElapsedMs
      ? "time"
      : undefined;
  }

  async #wait(delayMs: number, last: unknown): Promise<void> {
    const { signal } = this.#options;
    try {
      await wait(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted ? this.#aborted(last) : error;
    }
  }

  #aborted(last: unknown): CkptError {
    const attempts = this.#attempts;
    const error = last instanceof Error ? last.message : undefined;
    return abortedError(this.#options.signal!, `after ${attempts} tries`, { attempts, lastError: error });
  }

  #failure(error: unknown, gaveUp: GaveUp): unknown {
    const attempts = this.#attempts;
    const isKnown = isCkptError(error) || classify(error) !== "permanent";
    if (isCkptError(error, "CKPT_ABORTED") || (gaveUp === "permanent" && !isKnown)) return error;
    const base = toCkptError(error, { doing: this.#options.doing ?? "finish the operation" });
    const times = `${attempts} ${attempts === 1 ? "try" : "tries"}`;
    const elapsedMs = Math.round(performance.now() - this.#startedAt);
    return new CkptError(gaveUp === "time" ? "CKPT_TIMEOUT" : base.code, {
      message: `${base.message} (${times})`,
      ...(base.hint === undefined ? {} : { hint: base.hint }),
      cause: error,
      details: { ...base.details, attempts, gaveUp, elapsedMs },
    });
  }
}

/** {@link retry}, or a single run where `options` is false. */
export async function retryUnless<T>(
  options: RetryOptions | false,
  doing: string,
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
): Promise<T> {
  throwIfAborted(signal, "before the first try");
  if (options !== false) return retry(operation, { doing, ...(signal && { signal }), ...options });
  return operation().catch((error: unknown) => {
    throw toCkptError(error, { doing });
  });
}
