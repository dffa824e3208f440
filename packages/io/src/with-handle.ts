import type { FileHandle } from "./file-system.js";

/**
 * Runs `use` and closes the handle. After success a failing close is an error of its own; after a failure the first error
 * is the one that matters.
 */
export async function withHandle<T>(handle: FileHandle, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await use(handle);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
  await handle.close();
  return result;
}
