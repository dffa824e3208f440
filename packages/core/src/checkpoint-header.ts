/** Plain JSON: what metadata may hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Everything about a checkpoint except its state. Small: lists and plans work on headers and never touch states.
 */
export interface CheckpointHeader {
  /** Unique within its store, `agentId:number` unless imported. */
  readonly id: string;
  /** The agent (or, for an in-memory history, the session) that it belongs to. */
  readonly agentId: string;
  /** Position in the agent's history: 1, 2, 3, ... Strictly rising, never reused; the order of everything. */
  readonly sequence: number;
  /** The kind or label: `routine`, `pre_operation`, `recovery`, or any other. The reference's `name` and `type`. */
  readonly name: string;
  /** ISO 8601 with offset and up to microseconds, as it was put. */
  readonly timestamp: string;
  /** Lineage: the checkpoint that this state was continued from. */
  readonly parentId: string | null;
  /** The state's Merkle hash, 64 hex digits. Same hash = same state. */
  readonly stateHash: string;
  /** Approximate size of the whole state when encoded, in bytes. */
  readonly stateBytes: number;
  /** The caller's labels and the operational context; outside the hash. */
  readonly metadata: { readonly [key: string]: Json };
  /** Version of the state's schema, where the caller uses migrations. */
  readonly schemaVersion: number | null;
  /** The writer's fencing token at the time of the save; 0 where the store has no leases. */
  readonly epoch: number;
}

/** A header before it is stored: the store adds what it derives from the state and from its lease. */
export type CheckpointDraft = Omit<CheckpointHeader, "stateHash" | "stateBytes" | "epoch">;
