import { CkptError } from "@ckpt/errors";

/** The error of a call whose AbortSignal fired; the signal's reason is its cause. */
export function abortedError(
  signal: AbortSignal,
  doing: string,
  details?: Record<string, unknown>,
): CkptError {
  return new CkptError("CKPT_ABORTED", {
    message: `Aborted: ${doing}`,
    hint: "The caller's AbortSignal fired; nothing more is done for this call.",
    cause: signal.reason,
    ...(details === undefined ? {} : { details }),
  });
}

/** Throws `CKPT_ABORTED` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted) throw abortedError(signal, doing);
}
