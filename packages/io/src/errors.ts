import type { CommonCode } from "@ckpt/errors";

/** Every code that `@ckpt/io` throws. */
export type IoErrorCode =
  | CommonCode
  /** A write or sync of this log failed before; it takes no more records. Start a fresh file and append there again. */
  | "CKPT_LOG_POISONED"
  /** Every place failed; `cause` is an AggregateError of the places' errors, `details.tried` says what was tried. */
  | "CKPT_ALL_FAILED";
