import { CkptError } from "@ckpt/errors";

/** What a call that waits accepts besides its own options. */
export interface SignalOption {
  /** Gives the call up: it rejects with `CKPT_ABORTED`, at once while it waits for its turn. */
  readonly signal?: AbortSignal | undefined;
}

/** Throws `CKPT_ABORTED` (cause: the signal's reason) when `signal` has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw aborted(signal, what);
}

/**
 * What `work` comes to; or rejects with `CKPT_ABORTED` as soon as `signal` fires, and then what it comes to is nobody's. `work` calls
 * `begin` when it can no longer be given up: that throws `CKPT_ABORTED` when the signal was first, and it is heard no more. Without a
 * signal it is `work` alone.
 */
export function untilAborted<T>(
  signal: AbortSignal | undefined,
  what: string,
  work: (begin: () => void) => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work(() => {});
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(aborted(signal, what));
    const deafen = listen(signal, giveUp);
    const begin = () => {
      throwIfAborted(signal, what);
      deafen();
    };
    if (signal.aborted) giveUp();
    work(begin).finally(deafen).then(resolve, reject);
  });
}

/** Those who wait on one signal, with one listener for all: many on one signal look like a leak to the runtime. */
class Waiters {
  readonly #signal: AbortSignal;
  readonly #calls = new Set<() => void>();
  readonly #fire = () => {
    for (const call of [...this.#calls]) call();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#fire, { once: true });
  }

  /** The returned function ends it; the last one takes the listener away. */
  add(call: () => void): () => void {
    this.#calls.add(call);
    return () => {
      if (!this.#calls.delete(call) || this.#calls.size > 0) return;
      this.#signal.removeEventListener("abort", this.#fire);
      waiting.delete(this.#signal);
    };
  }
}

const waiting = new WeakMap<AbortSignal, Waiters>();

/** Calls `giveUp` when `signal` fires, until the returned function is called. */
function listen(signal: AbortSignal, giveUp: () => void): () => void {
  const waiters = waiting.get(signal) ?? new Waiters(signal);
  waiting.set(signal, waiters);
  return waiters.add(giveUp);
}

function aborted(signal: AbortSignal, what: string): CkptError {
  return new CkptError("CKPT_ABORTED", {
    message: `${what} was aborted by its signal.`,
    hint: "Nothing was done; call again without the signal, or with a fresh one.",
    cause: signal.reason,
  });
}
