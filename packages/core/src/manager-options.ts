import { CkptError } from "@ckpt/errors";
import { kind, validateAgentId } from "./identifiers.js";
import { type Logger, silentLogger } from "./logger.js";
import { type Migrations, Migrator } from "./migrations.js";
import type { StandardSchema } from "./schema.js";
import { randomSessionId } from "./session-id.js";
import type { SnapshotOptions } from "./snapshot.js";
import { resolveCodecs } from "./state/class-codec.js";
import { resolveLimits } from "./state/limits.js";
import type { CheckpointStore } from "./store.js";

/** Options of {@link CheckpointManager}. All have defaults. */
export interface ManagerOptions<State = unknown> {
  /** The session or agent whose history this is. Default: a random readable id. */
  readonly sessionId?: string | undefined;
  /** Where checkpoints are kept. Default: a new `MemoryStore`, closed with the manager; a store that is given stays open. */
  readonly store?: CheckpointStore | undefined;
  /** The most checkpoints to keep; the oldest go first, never the head or a pinned one. `Infinity`: no limit. Default 100. */
  readonly maxCheckpoints?: number | undefined;
  /**
   * With more checkpoints than this, keep the first, the last 20 and the latest of each name in between. `Infinity`: never.
   * Default 50.
   */
  readonly compressAfter?: number | undefined;
  /** Judges every state on save and on restore. It does not change what is stored. Default: none. */
  readonly schema?: StandardSchema<State> | undefined;
  /** Version of the state's shape, an integer from 1; recorded with every checkpoint. Default: none. */
  readonly version?: number | undefined;
  /** `migrations[n]` turns a state of version n into one of n + 1; applied on read, never written back. Default: none. */
  readonly migrations?: Migrations | undefined;
  /** How instances of the caller's classes are stored. Default: they are refused. */
  readonly codecs?: SnapshotOptions["codecs"] | undefined;
  /** Bounds on one state. Default: those of `snapshot`. */
  readonly limits?: SnapshotOptions["limits"] | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  /** The wall clock for timestamps, in milliseconds since 1970 (fractions count). Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** The defaults of {@link ManagerOptions} that are numbers. */
export const MANAGER_DEFAULTS = Object.freeze({ maxCheckpoints: 100, compressAfter: 50 });

/** Options after validation, with every default filled in. */
export interface ResolvedOptions {
  readonly agentId: string;
  readonly maxCheckpoints: number;
  readonly compressAfter: number;
  readonly schema: StandardSchema | undefined;
  readonly migrator: Migrator;
  readonly capture: SnapshotOptions;
  readonly logger: Logger;
  readonly clock: () => number;
}

/** Throws `CKPT_INVALID_ARGUMENT` or `CKPT_INVALID_ID` for what it cannot use. */
export function resolveOptions<State>(options: ManagerOptions<State>): ResolvedOptions {
  if (typeof options !== "object" || options === null)
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `The options of a manager are ${kind(options)}, not an object.`,
      hint: 'Give an object, such as { sessionId: "session-1" }.',
    });
  const { schema, codecs, limits } = options;
  if (schema !== undefined && typeof schema["~standard"]?.validate !== "function")
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: "The schema does not implement Standard Schema.",
      hint: "Give a schema of zod 3.24 or later, valibot, arktype or another library that has `~standard`.",
    });
  const { logger, clock } = options;
  for (const level of LEVELS)
    if (logger !== undefined && typeof logger[level] !== "function")
      throw unusable("logger", `has no method ${level}`, "Give a logger with debug, info, warn and error.");
  if (clock !== undefined && typeof clock !== "function")
    throw unusable("clock", "is not a function", "Give a function that gives milliseconds since 1970.");
  if (options.store !== undefined && typeof options.store?.commit !== "function")
    throw unusable("store", "is not one", "Give a CheckpointStore, such as new MemoryStore().");
  resolveCodecs(codecs);
  resolveLimits(limits);
  return {
    agentId: validateAgentId(options.sessionId ?? randomSessionId(), "session id"),
    maxCheckpoints: count("maxCheckpoints", options.maxCheckpoints ?? MANAGER_DEFAULTS.maxCheckpoints, 1),
    compressAfter: count("compressAfter", options.compressAfter ?? MANAGER_DEFAULTS.compressAfter, 0),
    schema,
    migrator: new Migrator(options.version, options.migrations),
    capture: { ...(codecs && { codecs }), ...(limits && { limits }) },
    logger: logger ?? silentLogger,
    clock: clock ?? Date.now,
  };
}

const LEVELS = ["debug", "info", "warn", "error"] as const;

function unusable(option: string, says: string, hint: string): CkptError {
  return new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `The ${option} ${says}.`,
    hint: `${hint} Leave ${option} out for its default.`,
    details: { option },
  });
}

function count(option: string, value: number, least: number): number {
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= least)) return value;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `${option} is ${String(value)}, not an integer of at least ${least} or Infinity.`,
    hint: `Leave ${option} out for its default, or give Infinity to turn it off.`,
    details: { option },
  });
}
