import { CkptError } from "@ckpt/errors";

/** What a call that waits accepts besides its own options. */
export interface SignalOption {
  /** Gives the call up: it rejects with `CKPT_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Throws `CKPT_ABORTED` (cause: the signal's reason) when `signal` has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal === undefined || !signal.aborted) return;
  throw new CkptError("CKPT_ABORTED", {
    message: `${what} was aborted by its signal.`,
    hint: "Nothing was done; call again without the signal, or with a fresh one.",
    cause: signal.reason,
  });
}
