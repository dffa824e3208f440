import { CkptError, type CommonCode, isCkptError } from "@ckpt/errors";
import { errnoOf } from "./errno.js";

/**
 * What kind of failure an error is.
 * `transient`: may pass by itself. `no-space`: the disk, its inodes or the quota is full. `no-permission`: refused by
 * the system. `not-found`, `exists`: about names. `damaged`: the device failed or lies; do not trust this file.
 * `permanent`: anything else.
 */
export type FailureKind =
  | "transient"
  | "no-space"
  | "no-permission"
  | "not-found"
  | "exists"
  | "damaged"
  | "permanent";

/** The one table from errno to kind. What is not listed is `permanent`. */
const kinds: Readonly<Record<string, FailureKind>> = {
  EAGAIN: "transient",
  EWOULDBLOCK: "transient",
  EBUSY: "transient",
  EINTR: "transient",
  EMFILE: "transient",
  ENFILE: "transient",
  ENOMEM: "transient",
  ENOBUFS: "transient",
  ENOLCK: "transient",
  EDEADLK: "transient",
  ETXTBSY: "transient",
  ESTALE: "transient",
  ETIMEDOUT: "transient",
  ECONNRESET: "transient",
  ECONNREFUSED: "transient",
  ECONNABORTED: "transient",
  EPIPE: "transient",
  EHOSTUNREACH: "transient",
  EHOSTDOWN: "transient",
  ENETDOWN: "transient",
  ENETRESET: "transient",
  ENETUNREACH: "transient",
  ENOTCONN: "transient",
  EREMOTEIO: "transient",
  ENOSPC: "no-space",
  EDQUOT: "no-space",
  EFBIG: "no-space",
  EACCES: "no-permission",
  EPERM: "no-permission",
  EROFS: "no-permission",
  ENOENT: "not-found",
  ENOTDIR: "not-found",
  EEXIST: "exists",
  ENOTEMPTY: "exists",
  EIO: "damaged",
  ENXIO: "damaged",
  ENODEV: "damaged",
  EUCLEAN: "damaged",
  EBADMSG: "damaged",
};

const codes: Readonly<Record<FailureKind, { code: CommonCode; hint: string }>> = {
  transient: {
    code: "CKPT_IO",
    hint: "Usually passes by itself; try again, or raise the number of retries.",
  },
  "no-space": { code: "CKPT_NO_SPACE", hint: "Free space or inodes, raise the quota, or use another place." },
  "no-permission": {
    code: "CKPT_NO_PERMISSION",
    hint: "Give this user write access, or choose a directory that it owns on a writable disk.",
  },
  "not-found": { code: "CKPT_NOT_FOUND", hint: "Check the path." },
  exists: { code: "CKPT_CONFLICT", hint: "The name is taken; read what is there, or choose another name." },
  damaged: {
    code: "CKPT_IO",
    hint: "The device reports a failure; look at the system log and move to another disk.",
  },
  permanent: { code: "CKPT_IO", hint: "See `cause` for what the system reported." },
};

const kindOfCode: Readonly<Partial<Record<CommonCode, FailureKind>>> = {
  CKPT_NO_SPACE: "no-space",
  CKPT_NO_PERMISSION: "no-permission",
  CKPT_NOT_FOUND: "not-found",
  CKPT_CONFLICT: "exists",
  CKPT_LOCKED: "transient",
};

/**
 * What kind of failure `error` is, by its errno (its own or a cause's), else by its {@link CkptError} code.
 * Windows answers EPERM and EACCES while another process holds a file open: there they are transient on a rename,
 * an unlink and an open.
 */
export function classify(error: unknown): FailureKind {
  // A wrapped error keeps its own verdict: a poisoned log is permanent, whatever errno poisoned it.
  if (isCkptError(error) && error.code !== "CKPT_IO")
    return kindOfCode[error.code as CommonCode] ?? "permanent";
  const errno = errnoOf(error);
  if (errno === undefined) return "permanent";
  if (process.platform === "win32" && (errno === "EPERM" || errno === "EACCES")) {
    const syscall = (error as NodeJS.ErrnoException).syscall;
    if (syscall === "rename" || syscall === "unlink" || syscall === "open") return "transient";
  }
  return Object.hasOwn(kinds, errno) ? kinds[errno]! : "permanent";
}

/** Whether `error` is worth another try: its kind is `transient`. */
export function isTransient(error: unknown): boolean {
  return classify(error) === "transient";
}

/** What was being done when an error came. */
export interface ErrorContext {
  /** The operation in words, as in "write the record". */
  readonly doing: string;
  readonly path?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * `error` as a {@link CkptError}: what already is one comes back as it is; an errno becomes `CKPT_NO_SPACE`,
 * `CKPT_NO_PERMISSION`, `CKPT_NOT_FOUND`, `CKPT_CONFLICT` or `CKPT_IO`, with the original as `cause`.
 */
export function toCkptError(error: unknown, context: ErrorContext): CkptError {
  if (isCkptError(error)) return error;
  const kind = classify(error);
  const { code, hint } = codes[kind];
  const what = error instanceof Error ? error.message : String(error);
  const where = context.path === undefined ? "" : ` ${context.path}`;
  return new CkptError<CommonCode>(code, {
    message: `Could not ${context.doing}${where}: ${what}`,
    hint,
    cause: error,
    details: { errno: errnoOf(error), kind, path: context.path, ...context.details },
  });
}
