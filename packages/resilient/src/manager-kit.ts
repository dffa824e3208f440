import type {
  AgentState,
  Capture,
  Checkpoint,
  CheckpointDraft,
  CheckpointHeader,
  CommitOptions,
  CommitReceipt,
  Emitter,
  HeaderQuery,
  Json,
  Logger,
  MoveHeadOptions,
  Place,
  SavedCheckpoint,
  SignalOption,
  Snapshot,
  StoreEntry,
  StoreFinding,
  WritePosition,
  WriteQueue,
} from "@ckpt/core";
import type { DriftWatch } from "./drift-watch.js";
import type { ResilientEvents } from "./events.js";
import type { Pruner } from "./pruner.js";
import type { RestoresUnderWay } from "./restores-under-way.js";
import type { DegradingStore } from "./with-degradation.js";

/**
 * What the verbs of the manager (restore, recover, guard, fork, groups) work with: its protected steps, bound to it, so that each verb
 * can have a file of its own and a subclass's overrides still count.
 */
export interface ManagerKit<State> {
  readonly agentId: string;
  readonly store: DegradingStore;
  readonly queue: WriteQueue;
  readonly events: Emitter<ResilientEvents<State>>;
  readonly logger: Logger;
  readonly drift: DriftWatch;
  readonly pruner: Pruner;
  readonly hasCollect: boolean;
  readonly hasApply: boolean;
  operate<T>(call: string, signal: AbortSignal | undefined, operation: () => T | Promise<T>): Promise<T>;
  readonly restores: RestoresUnderWay;
  /** Captures the live state, when the restores under way are over, for `use`, which asks for a turn before it returns. */
  withCapture<T>(
    name: string,
    metadata: { readonly [key: string]: Json },
    signal: AbortSignal | undefined,
    use: (capture: Capture) => Promise<T>,
  ): Promise<T>;
  /** The live state without a wait for restores. */
  captureNow(name: string, metadata?: { readonly [key: string]: Json }): Capture | Promise<Capture>;
  draft(capture: Capture, place: Place): CheckpointDraft;
  save(capture: Capture, options?: CommitOptions): Promise<SavedCheckpoint<State>>;
  moveHead(
    position: WritePosition,
    header: CheckpointHeader,
    state: Snapshot,
    reason: string,
    options?: MoveHeadOptions,
  ): Promise<CommitReceipt>;
  commit(entries: readonly StoreEntry[], options?: SignalOption): Promise<CommitReceipt>;
  load(header: CheckpointHeader, options?: SignalOption): Promise<Snapshot>;
  list(query?: HeaderQuery): Promise<CheckpointHeader[]>;
  lookUp(id: string): Promise<CheckpointHeader | undefined>;
  readAgent(): Promise<AgentState | undefined>;
  decode(header: Pick<CheckpointHeader, "id" | "schemaVersion">, state: Snapshot): Promise<State>;
  handle(header: CheckpointHeader): Checkpoint<State>;
  /** Hands a restored state to the caller's `apply`. Rejects with `CKPT_APPLY_FAILED`. */
  apply(state: State, checkpointId: string): Promise<void>;
  /**
   * Emits `saved` for the puts of a commit that was not made by `save`; with the `state` of a put that is one of the agent's steps
   * the drift monitor is told as well.
   */
  announceSaves(receipt: CommitReceipt, state?: Snapshot): SavedCheckpoint<State>[];
  /** What follows such saves, once the turn is over: `compressAfter` and `maxCheckpoints`. */
  settleSaves(saved: readonly SavedCheckpoint<State>[]): Promise<void>;
  /** Takes note of a checkpoint that cannot be read back. */
  damaged(checkpointId: string, error: unknown): void;
  /** What the store noticed since it was last asked, about this agent or about no agent in particular. */
  takeFindings(): readonly StoreFinding[];
  /** The wall clock, milliseconds since 1970. */
  now(): number;
  report(during: string, error: unknown): void;
}

const kits = new WeakMap<object, unknown>();

/** Makes a manager's kit known to the functions over several managers. */
export function registerKit<State>(manager: object, kit: ManagerKit<State>): void {
  kits.set(manager, kit);
}

/** The kit of a manager; undefined for an object that is none. */
export function kitOf(manager: object): ManagerKit<unknown> | undefined {
  return kits.get(manager) as ManagerKit<unknown> | undefined;
}
