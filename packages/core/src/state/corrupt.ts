import { CkptError } from "@ckpt/errors";

/** Stored bytes are not what this library writes. */
export function corrupt(
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): CkptError {
  return new CkptError("CKPT_CORRUPT", {
    message,
    hint: "The bytes are damaged or were not written by this library; restore another checkpoint or another copy.",
    cause,
    details,
  });
}

/** What is stored passes the reader's limits. */
export function overLimit(message: string, details: Readonly<Record<string, unknown>> = {}): CkptError {
  return new CkptError("CKPT_LIMIT", {
    message,
    hint: "Raise the limit that is named, if the state is trusted.",
    details,
  });
}
