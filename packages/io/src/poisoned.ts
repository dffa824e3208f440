import { CkptError } from "@ckpt/errors";
import { errnoOf } from "./errno.js";
import type { IoErrorCode } from "./errors.js";

/**
 * The error of an append to a log whose write or sync failed. After a failed sync the kernel may have dropped the
 * data and marked the pages clean, so a second sync would lie ("fsyncgate"): the file takes nothing more.
 */
export function poisonedError(
  path: string,
  cause: unknown,
  ackedBytes: number,
  possiblyWritten: boolean,
): CkptError<IoErrorCode> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CkptError<IoErrorCode>("CKPT_LOG_POISONED", {
    message: `The log ${path} takes no more records, a write to it failed: ${reason}`,
    hint: possiblyWritten
      ? "Append the record again to a fresh log; it may stand in this one as well."
      : "Append the record to a fresh log.",
    cause,
    details: { path, errno: errnoOf(cause), ackedBytes, possiblyWritten },
  });
}
