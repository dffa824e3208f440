import { errnoError, type FileHandle, type FileSystem, nodeFileSystem } from "@ckpt/io";

const CALLS = ["open", "stat", "readdir", "rename", "link", "unlink", "rmdir", "syncDirectory"] as const;
const HANDLE_CALLS = ["read", "write", "sync", "datasync", "stat"] as const;
/** What a call that changes nothing fails with, and one that writes. */
const READING = ["EIO", "EMFILE", "EACCES"];
const WRITING = ["EIO", "ENOSPC", "EMFILE"];
const WRITES: readonly string[] = [
  "rename",
  "link",
  "unlink",
  "rmdir",
  "syncDirectory",
  "write",
  "sync",
  "datasync",
];

type Call = (...args: never[]) => Promise<unknown>;

/** The real file system, where one call in `every()` fails: before it did anything, or having done it. */
export function failingCalls(random: () => number, every: () => number): FileSystem {
  const failing = <T extends object>(target: T, calls: readonly (keyof T & string)[], path?: string): T => {
    for (const name of calls) {
      const call = (target[name] as Call).bind(target);
      const maybe = async (...args: never[]): Promise<unknown> => {
        if (random() * every() >= 1) return call(...args);
        const isWrite = WRITES.includes(name);
        if (isWrite && random() < 0.5) await call(...args);
        const codes = isWrite ? WRITING : READING;
        const code = codes[Math.floor(random() * codes.length)] ?? "EIO";
        throw errnoError(code, name, path ?? String(args[0]), "made to fail");
      };
      Object.defineProperty(target, name, { value: maybe, configurable: true });
    }
    return target;
  };
  const fs = failing<FileSystem>({ ...nodeFileSystem }, CALLS);
  const { open } = fs;
  return Object.defineProperty(fs, "open", {
    value: async (...args: Parameters<FileSystem["open"]>) =>
      failing<FileHandle>(await open(...args), HANDLE_CALLS, args[0]),
  });
}
