import type { FileSystem } from "./file-system.js";

/**
 * Gives the file `from` the name `to` besides, which must be free: the step by which something is published to other processes
 * at most once. Resolves also when the link was made though an error came back (a network or user-space file system that repeats
 * a call, or loses an answer): then the name is this file's.
 *
 * Rejects with the file system's error; EEXIST: the name is another file's.
 */
export async function linkExclusive(fs: FileSystem, from: string, to: string): Promise<void> {
  try {
    await fs.link(from, to);
  } catch (error) {
    if (!(await isSameFile(fs, from, to))) throw error;
  }
}

async function isSameFile(fs: FileSystem, a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([fs.stat(a), fs.stat(b)]);
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}
