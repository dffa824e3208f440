export type { CkptErrorInit } from "./ckpt-error.js";
export { CkptError, isCkptError } from "./ckpt-error.js";
export type { CommonCode } from "./codes.js";
