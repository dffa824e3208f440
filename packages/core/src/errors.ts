import type { ManagerErrorCode } from "./manager-errors.js";
import type { StateErrorCode } from "./state/errors.js";

export type { CkptErrorInit, CommonCode } from "@ckpt/errors";
export { CkptError, isCkptError } from "@ckpt/errors";

/** Codes that this package adds to the common ones. */
export type CoreErrorCode = ManagerErrorCode | StateErrorCode;
