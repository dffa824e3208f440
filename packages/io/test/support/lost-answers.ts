import { errnoError, type FileSystem, nodeFileSystem } from "@ckpt/io";

/** The real file system, whose links are made although each call reports `errno`: what a repeated or lost answer looks like. */
export function withLostAnswers(errno: string): FileSystem {
  const link = async (from: string, to: string) => {
    await nodeFileSystem.link(from, to);
    throw errnoError(errno, "link", to, "answer lost");
  };
  return { ...nodeFileSystem, link };
}
