import type { CommonCode } from "@ckpt/errors";

/** The codes that this package throws. */
export type ConformanceErrorCode =
  | Extract<CommonCode, "CKPT_INVALID_ARGUMENT">
  /** The simulated machine lost its power before this call; it had no effect. Open what survived instead. */
  | "CKPT_POWER_CUT"
  /** The simulated process was killed before this call; it had no effect. Use another process's view of the disk. */
  | "CKPT_PROCESS_KILLED";
