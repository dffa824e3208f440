import { CkptError } from "@ckpt/errors";
import { type FileSystem, nodeFileSystem } from "@ckpt/io";

/** Options of {@link DiskStore}. Stores on one directory in one process share one log; the first to open decides. */
export interface DiskStoreOptions {
  /**
   * A segment is closed and a new one begun when it has this many bytes and four times the bytes of its keyframes. Larger: fewer
   * files and keyframes, but space comes back later, and a crash leaves more to scan. Default 32 MiB.
   */
  readonly segmentBytes?: number;
  /** A new keyframe after so many deltas in a row. Bounds what one damaged record costs. Default 4,000. */
  readonly maxChainDeltas?: number;
  /** The largest state, by weight, in bytes. Default 1 GiB. */
  readonly maxStateBytes?: number;
  /** The most entries in one commit. Default 10,000. */
  readonly maxEntriesPerCommit?: number;
  /**
   * Fold segments of dead writers and give back the space of what was removed, in the background, when enough of it has come
   * together. Default true.
   */
  readonly autoCompact?: boolean;
  /**
   * Write saves on the calling thread, which waits for the disk, instead of a thread of the pool. An agent alone in its process that
   * awaits each save gets on faster; a disk that stalls stalls the whole process, time-outs included. Default false.
   */
  readonly blockingWrites?: boolean;
  /** Bytes kept zeroed so that a full disk can still shrink; 0 keeps none. Default 256 KiB. */
  readonly reserveBytes?: number;
  /** What to do on a network file system, whose locks and syncs cannot be relied on. Default `"refuse"`. */
  readonly networkFileSystem?: "refuse" | "allow";
  /** The file system; a store with one of its own is not shared. Default: this machine's. */
  readonly fs?: FileSystem;
}

/** The defaults of {@link DiskStoreOptions}. */
export const DISK_STORE_DEFAULTS = Object.freeze({
  segmentBytes: 32 * 1024 * 1024,
  maxChainDeltas: 4_000,
  maxStateBytes: 1024 * 1024 * 1024,
  maxEntriesPerCommit: 10_000,
  autoCompact: true,
  blockingWrites: false,
  reserveBytes: 256 * 1024,
  networkFileSystem: "refuse",
  fs: nodeFileSystem,
} satisfies Required<DiskStoreOptions>);

export type ResolvedOptions = Required<DiskStoreOptions>;

/** What a commit is checked against. */
export type Limits = Pick<ResolvedOptions, "maxStateBytes" | "maxEntriesPerCommit" | "maxChainDeltas">;

/** The options with defaults filled in; throws `CKPT_INVALID_ARGUMENT`. */
export function resolveOptions(options: DiskStoreOptions): ResolvedOptions {
  const resolved: ResolvedOptions = { ...DISK_STORE_DEFAULTS };
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) Object.assign(resolved, { [key]: value });
  }
  const least = {
    segmentBytes: 4096,
    maxChainDeltas: 0,
    maxStateBytes: 1,
    maxEntriesPerCommit: 1,
    reserveBytes: 0,
  };
  for (const [key, minimum] of Object.entries(least)) {
    const value = resolved[key as keyof typeof least];
    if (Number.isSafeInteger(value) && value >= minimum) continue;
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `The option ${key} is ${String(value)}.`,
      hint: `Use a whole number, at least ${minimum}.`,
      details: { argument: key },
    });
  }
  return resolved;
}
