import { CkptError, type CommonCode } from "@ckpt/errors";

/** The codes that this package adds. */
export type ResilientCode =
  /** The checkpoint belongs to another agent; `details.ownerAgentId` names it. Nothing was changed. */
  | "CKPT_WRONG_AGENT"
  /** A guarded operation failed. `cause` is its error; `details.restored` says whether the state from before it is back. */
  | "CKPT_GUARD_FAILED"
  /** `close` found saves that exist in memory only. `details.pendingIds` lists them; the manager stays open and usable. */
  | "CKPT_NOT_FLUSHED"
  /** No place takes writes, and the memory set aside for that is used up. This save was not kept; earlier ones are. */
  | "CKPT_MEMORY_FULL"
  /** The caller's `apply` threw: the head is where the restore put it, the live state is what `apply` left. Restore again. */
  | "CKPT_APPLY_FAILED"
  /** Every place of several refused a batch; `details.tried` says which and why. */
  | "CKPT_ALL_FAILED"
  /** Too many steps of a supervised loop failed in a row. `cause` is the last error. */
  | "CKPT_LOOP_FAILED";

/** Every code that this package throws by itself. */
export type ErrorCode = CommonCode | ResilientCode;

/** An error that this package throws by itself. */
export function fail(
  code: ErrorCode,
  init: ConstructorParameters<typeof CkptError>[1],
): CkptError<ErrorCode> {
  return new CkptError<ErrorCode>(code, init);
}

/** `CKPT_INVALID_ARGUMENT`: nothing was changed. */
export function invalidArgument(
  message: string,
  hint: string,
  details: Record<string, unknown> = {},
): CkptError {
  return fail("CKPT_INVALID_ARGUMENT", { message, hint, details });
}
