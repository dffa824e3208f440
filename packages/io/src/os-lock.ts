/// <reference path="./fs-native-extensions.d.ts" />
/**
 * Locks of the operating system, by the optional package `fs-native-extensions`: open-file-description locks on Linux
 * and macOS, LockFileEx on Windows. They belong to one open of a file: a second open in the same process is refused
 * too, closing another descriptor of the file does not drop them, and the kernel frees them when the process dies.
 */
type TryLock = (fd: number) => boolean;

let loading: Promise<TryLock | undefined> | undefined;

async function load(): Promise<TryLock | undefined> {
  try {
    const { default: native } = await import("fs-native-extensions");
    return (fd) => native.tryLock(fd);
  } catch {
    // Not installed, or no prebuilt binary for this platform: callers fall back on proof of death.
    return undefined;
  }
}

const unsupportedByDisk = new Set(["ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"]);

/**
 * Takes an exclusive lock on `fd`, which must be open for writing. Never waits.
 *
 * The environment variable `CKPT_NO_OS_LOCKS=1` makes this answer `"unsupported"`, as on a machine without the package.
 */
export async function tryOsLock(fd: number): Promise<"taken" | "busy" | "unsupported"> {
  if (process.env.CKPT_NO_OS_LOCKS === "1") return "unsupported";
  loading ??= load();
  const tryLock = await loading;
  if (tryLock === undefined) return "unsupported";
  try {
    return tryLock(fd) ? "taken" : "busy";
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EACCES") return "busy"; // POSIX allows EACCES for a conflict as well as EAGAIN
    if (code !== undefined && unsupportedByDisk.has(code)) return "unsupported";
    throw error;
  }
}
