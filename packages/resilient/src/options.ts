import type { CheckpointStore, Json, ManagerOptions } from "@ckpt/core";
import type { DriftMonitor, MonitorOptions } from "@ckpt/drift";
import type { RetentionPolicy } from "@ckpt/retention";
import { isStore } from "./check-stores.js";
import { invalidArgument } from "./errors.js";
import type { UnfinishedGuard } from "./recovery-report.js";
import type { StoreRetryOptions } from "./with-retry.js";

/** What is done with an operation that was under way when the process died. */
export type UnfinishedGuardChoice = "restore" | "dismiss" | "keep";

/** Options of {@link ResilientCheckpointManager}. All have defaults; the agent id is the constructor's first argument. */
export interface ResilientOptions<State = unknown> extends Omit<ManagerOptions<State>, "sessionId"> {
  /** Where the embedded disk store is, when no `store` is given. Managers of one directory share it. Default `.ckpt`. */
  readonly directory?: string | undefined;
  /** Where checkpoints are kept instead. It stays open when the manager closes. Default: the embedded disk store. */
  readonly store?: CheckpointStore | undefined;
  /** Gives the live state, to be saved. Called inside `createCheckpoint`, before that returns. */
  readonly collect?: (() => State | Promise<State>) | undefined;
  /** Puts a restored state in place of the live one. Gets a fresh value that it may keep. */
  readonly apply?: ((state: State) => void | Promise<void>) | undefined;
  /** Adds to the operational context in a checkpoint's `metadata.context`. Gets the default one; what it returns replaces it. */
  readonly getOperationalContext?:
    | ((context: OperationalContext) => { readonly [key: string]: Json })
    | undefined;
  /** More of the agent, as plain JSON, for `metadata.custom`; without `collect` it is the state. */
  readonly getCustomState?: (() => { readonly [key: string]: Json }) | undefined;
  /** The agent's own sign of drift. Asked by `detectDrift`. */
  readonly detectCustomDrift?: (() => boolean) | undefined;
  /** What is kept. Default `defaultPolicy()` of @ckpt/retention; false keeps everything. */
  readonly retention?: RetentionPolicy | false | undefined;
  /** What watches the agent: a monitor, or the options of one. Default `monitor()` of @ckpt/drift; false watches nothing. */
  readonly drift?: DriftMonitor | MonitorOptions | false | undefined;
  /** How transient failures of the store are retried. The first manager of a store decides. False: not at all. */
  readonly retry?: StoreRetryOptions | false | undefined;
  /**
   * The most that saves may hold in memory while no place takes writes, in bytes; beyond it they reject with
   * `CKPT_MEMORY_FULL`. 0: a save that cannot be durable rejects at once, with the place's error. The first manager of a store decides. Default 64 MiB.
   */
  readonly memoryBytesWhenDegraded?: number | undefined;
  /** What `recover` does with operations that a crash left unfinished. Default `keep`: it reports them. */
  readonly onUnfinishedGuard?:
    | UnfinishedGuardChoice
    | ((guard: UnfinishedGuard) => UnfinishedGuardChoice | Promise<UnfinishedGuardChoice>)
    | undefined;
  /** The most checkpoints to keep, whatever the retention policy. Default: no limit. */
  readonly maxCheckpoints?: number | undefined;
  /** As in `CheckpointManager`. Default: never. */
  readonly compressAfter?: number | undefined;
}

/** Facts about the process and the agent at the time of a save. */
export type OperationalContext = { readonly [key: string]: Json };

/** The defaults of {@link ResilientOptions} that are plain values. */
export const RESILIENT_DEFAULTS = Object.freeze({
  directory: ".ckpt",
  memoryBytesWhenDegraded: 64 * 1024 * 1024,
  onUnfinishedGuard: "keep",
  maxCheckpoints: Number.POSITIVE_INFINITY,
  compressAfter: Number.POSITIVE_INFINITY,
});

/** The plain values of the options with their defaults; an explicit undefined means the default. */
export function settingsOf<State>(options: ResilientOptions<State>) {
  const { directory, memoryBytesWhenDegraded, maxCheckpoints, compressAfter } = options;
  return {
    retry: options.retry,
    directory: directory ?? RESILIENT_DEFAULTS.directory,
    memoryBytesWhenDegraded: memoryBytesWhenDegraded ?? RESILIENT_DEFAULTS.memoryBytesWhenDegraded,
    maxCheckpoints: maxCheckpoints ?? RESILIENT_DEFAULTS.maxCheckpoints,
    compressAfter: compressAfter ?? RESILIENT_DEFAULTS.compressAfter,
  };
}

/** Throws `CKPT_INVALID_ARGUMENT` for what cannot be meant. */
export function checkOptions<State>(options: ResilientOptions<State>): void {
  if (typeof options !== "object" || options === null) {
    throw invalidArgument(
      "The options of a manager are no object",
      'Give an object behind the agent id, such as { directory: ".ckpt" }.',
    );
  }
  if (options.store !== undefined && options.directory !== undefined) {
    throw invalidArgument(
      "Both a store and a directory were given",
      "Give a directory for the embedded disk store, or a store of your own.",
    );
  }
  const { directory, retention, drift, onUnfinishedGuard } = options;
  if (directory !== undefined && (typeof directory !== "string" || directory === ""))
    throw unusable("directory", 'Give the path of a directory; the working directory is ".".');
  if (options.store !== undefined && !isStore(options.store))
    throw unusable("store", "Give a CheckpointStore, such as a DiskStore; a path goes into directory.");
  if (retention !== undefined && retention !== false && !isPolicy(retention))
    throw unusable("retention", "Give a policy of @ckpt/retention, such as keepLast(10), or false.");
  if (drift !== undefined && drift !== false && typeof drift !== "object")
    throw unusable("drift", "Give a monitor of @ckpt/drift, the options of one, or false.");
  const choices: readonly unknown[] = ["restore", "dismiss", "keep", undefined];
  if (typeof onUnfinishedGuard !== "function" && !choices.includes(onUnfinishedGuard))
    throw unusable("onUnfinishedGuard", "Give restore, dismiss, keep, or a function that gives one of them.");
  const bytes = options.memoryBytesWhenDegraded;
  if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes >= 0)) {
    throw invalidArgument(
      `memoryBytesWhenDegraded is ${String(bytes)}`,
      "Give a whole number of bytes; 0 turns degrading off.",
    );
  }
  for (const name of [
    "collect",
    "apply",
    "getOperationalContext",
    "getCustomState",
    "detectCustomDrift",
  ] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== "function") throw unusable(name, "Give it as a function.");
  }
}

function isPolicy(value: unknown): boolean {
  const { keeps, caps } = (value ?? {}) as { readonly [key: string]: unknown };
  return Array.isArray(keeps) && Array.isArray(caps);
}

function unusable(option: string, hint: string): Error {
  return invalidArgument(`The option ${option} cannot be used`, `${hint} Leave it out for its default.`, {
    option,
  });
}
