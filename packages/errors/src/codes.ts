/**
 * Codes that several packages throw, each with one meaning everywhere. A package adds its own beside its sources;
 * `docs/errors.md` lists them all.
 */
export type CommonCode =
  /** An argument or option is not of the documented shape. Nothing was changed. */
  | "CKPT_INVALID_ARGUMENT"
  /** What was asked for does not exist. */
  | "CKPT_NOT_FOUND"
  /** Stored bytes do not match their checksum, hash or format. */
  | "CKPT_CORRUPT"
  /** An id is taken by another state, or someone else wrote first. */
  | "CKPT_CONFLICT"
  /** Another holder has the lock; `details.holder` names it. */
  | "CKPT_LOCKED"
  /** The lease was lost: a newer epoch writes this agent. */
  | "CKPT_FENCED"
  /** The object was closed before the call. */
  | "CKPT_CLOSED"
  /** The caller's AbortSignal fired. */
  | "CKPT_ABORTED"
  /** The time budget ran out. */
  | "CKPT_TIMEOUT"
  /** The disk, or its inodes or quota, is full. */
  | "CKPT_NO_SPACE"
  /** The operating system refuses access. */
  | "CKPT_NO_PERMISSION"
  /** Reading or writing failed for another reason; `cause` has the errno. */
  | "CKPT_IO"
  /** A limit on size, depth or number was passed. */
  | "CKPT_LIMIT"
  /** The stored format or schema version is newer than this code knows. */
  | "CKPT_NEWER_VERSION"
  /** This store, platform or configuration cannot do it. */
  | "CKPT_UNSUPPORTED";
