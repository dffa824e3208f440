import type { Checkpoint, StoreFinding } from "@ckpt/core";
import type { Restored } from "./restore.js";

/** A checkpoint that could not be read back and was passed over. */
export interface SkippedCheckpoint {
  readonly id: string;
  readonly sequence: number;
  readonly code: string;
  readonly message: string;
}

/** An operation that was begun under `guard` and never ended. */
export interface UnfinishedGuard {
  readonly guardId: string;
  readonly operation: string;
  /** The checkpoint from before the operation. */
  readonly checkpointId: string;
}

/** The same, with what can be done about it. */
export interface OfferedGuard<State> extends UnfinishedGuard {
  /** Set where `recover` was to go back to before the operation and could not: its checkpoint is damaged or gone. */
  readonly damage: SkippedCheckpoint | null;
  /** Goes back to the state from before the operation, and closes the guard. */
  restore(): Promise<Restored<State>>;
  /** Closes the guard and leaves the state as it is. */
  dismiss(): Promise<void>;
}

/** What `recover` found and did. */
export interface RecoveryReport<State> {
  readonly agentId: string;
  /** What was applied: the head, or the newest intact checkpoint of its lineage; null when there is nothing to apply. */
  readonly checkpoint: Checkpoint<State> | null;
  /** Its state, as it was given to `apply`; undefined when there is none. */
  readonly data: State | undefined;
  /** The head as it was found. */
  readonly headId: string | null;
  /** Damaged checkpoints between the head and what was applied, newest first. */
  readonly skipped: readonly SkippedCheckpoint[];
  /** True when a removed checkpoint on the way had its place taken by the newest older one. */
  readonly lineageGap: boolean;
  /** Set when nothing of the head's lineage is intact: the newest intact checkpoint of all, not applied, to restore by hand. */
  readonly intactElsewhereId: string | null;
  readonly unfinishedGuards: readonly OfferedGuard<State>[];
  /** What the store noticed while it was opened and read. */
  readonly findings: readonly StoreFinding[];
  /** A place could not be read: there may be newer checkpoints than those known. */
  readonly maybeStale: boolean;
}
