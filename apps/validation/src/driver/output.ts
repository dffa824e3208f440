import { writeSync } from "node:fs";
import { isCkptError } from "@ckpt/errors";

/** One line on stdout, in the pipe before this returns: what was printed survives a kill of the process. */
export function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** The stable code of an error, one word. */
export function codeOf(error: unknown): string {
  if (isCkptError(error)) return error.code;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : `UNKNOWN_${(error as Error | null)?.name ?? typeof error}`;
}
