import type { CommonCode } from "@ckpt/errors";

/** Codes that `@ckpt/drift` throws. */
export type DriftErrorCode =
  | Extract<CommonCode, "CKPT_INVALID_ARGUMENT" | "CKPT_NEWER_VERSION">
  /** A stored monitor holds a detector for which no reader was given. */
  | "CKPT_UNKNOWN_DETECTOR";
