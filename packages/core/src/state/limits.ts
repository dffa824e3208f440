import { CkptError } from "@ckpt/errors";

/** Bounds on one state. They count the expanded tree: a shared reference counts at every place where it stands. */
export interface SnapshotLimits {
  /** Nesting of containers in the normal form, at most 1,000 (a `Map` takes three levels). @default 512 */
  readonly maxDepth?: number;
  /** Values in the normal form, containers included. @default 20_000_000 */
  readonly maxNodes?: number;
  /** Weight of the state, about its encoded size in bytes. @default 1_073_741_824 (1 GiB) */
  readonly maxBytes?: number;
}

export type ResolvedLimits = Required<SnapshotLimits>;

/** The bounds that hold where the caller gives none. */
export const DEFAULT_LIMITS: ResolvedLimits = Object.freeze({
  maxDepth: 512,
  maxNodes: 20_000_000,
  maxBytes: 1_073_741_824,
});

/** Recursion deeper than this could exhaust the stack, so no caller may ask for it. */
export const HIGHEST_MAX_DEPTH = 1_000;

/** Fills in defaults. Throws `CKPT_INVALID_ARGUMENT` for what is not a positive number. */
export function resolveLimits(limits: SnapshotLimits | undefined): ResolvedLimits {
  if (limits === undefined) return DEFAULT_LIMITS;
  const resolved = { ...DEFAULT_LIMITS };
  for (const name of ["maxDepth", "maxNodes", "maxBytes"] as const) {
    const value = limits[name];
    if (value === undefined) continue;
    const highest = name === "maxDepth" ? HIGHEST_MAX_DEPTH : Number.MAX_SAFE_INTEGER;
    if (!Number.isSafeInteger(value) || value < 1 || value > highest) {
      throw new CkptError("CKPT_INVALID_ARGUMENT", {
        message: `limits.${name} must be an integer from 1 to ${highest}, not ${String(value)}.`,
        hint: "Leave it out for the default.",
        details: { option: `limits.${name}` },
      });
    }
    resolved[name] = value;
  }
  return resolved;
}
