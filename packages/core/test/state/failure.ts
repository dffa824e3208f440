import { CkptError, type SnapshotOptions, snapshot } from "@ckpt/core";

/** What a snapshot that must be refused says. */
export function failure(
  value: unknown,
  options?: SnapshotOptions,
): { code: string; path: unknown; reason: unknown; error: CkptError } {
  try {
    snapshot(value, options);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    return { code: error.code, path: error.details.path, reason: error.details.reason, error };
  }
  throw new Error("It was not refused.");
}
