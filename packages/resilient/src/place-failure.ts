import { isCkptError } from "@ckpt/errors";

/** Codes that speak of the place, not of the call: another place, or the same one later, may well take the batch. */
const PLACE_CODES: ReadonlySet<string> = new Set([
  "CKPT_IO",
  "CKPT_NO_SPACE",
  "CKPT_NO_PERMISSION",
  "CKPT_TIMEOUT",
  "CKPT_LOG_POISONED",
  "CKPT_ALL_FAILED",
]);

/**
 * Whether `error` says that a place cannot do its work now. A refusal of the call itself (a conflict, a lock, a limit, damage,
 * a closed store, an abort) is not: every other place must answer the same.
 */
export function isPlaceFailure(error: unknown): boolean {
  if (isCkptError(error)) {
    // A directory or file of the store that is gone is the place's trouble; a checkpoint that does not exist is the caller's.
    return PLACE_CODES.has(error.code) || (error.code === "CKPT_NOT_FOUND" && hasErrno(error.cause));
  }
  // A store that lets the platform's own error through: it has an errno name.
  return hasErrno(error);
}

function hasErrno(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    /^E[A-Z0-9]+$/.test(error.code)
  );
}

/** The words of an error for a status line or a note: code and message, without the stack. */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  if (isCkptError(error)) return { code: error.code, message: error.message };
  if (error instanceof Error) {
    const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
    return { code, message: error.message };
  }
  return { code: "UNKNOWN", message: String(error) };
}
