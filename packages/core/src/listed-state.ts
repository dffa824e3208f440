import { isCkptError } from "@ckpt/errors";

/** What `load` reads of a checkpoint that was listed; undefined when it was removed since, so that `lookUp` finds it no more. */
export async function unlessRemoved<T>(
  load: () => Promise<T>,
  lookUp: () => Promise<unknown>,
): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    if (isCkptError(error, "CKPT_NOT_FOUND") && (await lookUp()) === undefined) return undefined;
    throw error;
  }
}
