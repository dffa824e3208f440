import { inspect } from "node:util";

/**
 * Called while a large state is written or read, after each chunk. What it throws, or what its promise rejects with, is a warning of the
 * process (`CkptWarning`): it is not called again in that call, and the state is written or read all the same.
 */
export type OnProgress = (progress: Progress) => void;

export interface Progress {
  /** Bytes of state records written or read so far. */
  readonly doneBytes: number;
  /** How many there will be: exactly when reading, about (by weight) when writing. */
  readonly totalBytes: number;
}

/** `onProgress` as the log may call it: never throws. The log is shared, so that the failure would be that of others as well. */
export function harmless(onProgress: OnProgress | undefined): OnProgress | undefined {
  if (typeof onProgress !== "function") return undefined;
  let hasFailed = false;
  const failed = (error: unknown) => {
    const why = error instanceof Error ? error.message : inspect(error);
    if (!hasFailed) process.emitWarning(`onProgress threw: ${why}`, "CkptWarning");
    hasFailed = true;
  };
  return (progress) => {
    if (hasFailed) return;
    try {
      const returned: unknown = onProgress(progress);
      Promise.resolve(returned).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}
