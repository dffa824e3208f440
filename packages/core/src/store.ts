import type { CheckpointDraft, CheckpointHeader, Json } from "./checkpoint-header.js";
import type { Snapshot } from "./snapshot.js";

/** What a store can do: data that callers and the conformance suite read, instead of asking for its name. */
export interface StoreCapabilities {
  /** An acknowledged commit survives the process. False: it lives as long as the store object. */
  readonly durable: boolean;
  /** One writer per agent is enforced across processes. */
  readonly leases: boolean;
  /** A takeover fences the former writer inside its commit, even when it is alive. */
  readonly fencing: boolean;
  /** `verify` and `compact` do real work. */
  readonly maintenance: boolean;
}

/** A fact about an agent's history that is not a state. Facts are kept in commit order and survive compaction while they matter. */
export type StoreEvent =
  /** The head moved: a restore, rollback or undo made `checkpointId` current. A put moves the head by itself. */
  | { readonly kind: "head"; readonly checkpointId: string; readonly reason: string }
  | {
      readonly kind: "guard-begun";
      readonly guardId: string;
      readonly operation: string;
      readonly checkpointId: string;
    }
  | {
      readonly kind: "guard-done";
      readonly guardId: string;
      readonly outcome: "completed" | "undone" | "dismissed";
    }
  | { readonly kind: "pinned"; readonly checkpointId: string }
  | { readonly kind: "unpinned"; readonly checkpointId: string }
  /** Anything an owner wants on the record (a place dropped, a drift suspicion opened). The newest per `topic` is kept. */
  | { readonly kind: "note"; readonly topic: string; readonly body: Json };

/** One entry of a batch. */
export type StoreEntry =
  | { readonly op: "put"; readonly header: CheckpointDraft; readonly snapshot: Snapshot }
  | {
      readonly op: "remove";
      readonly agentId: string;
      readonly ids: readonly string[];
      readonly reason: string;
    }
  | { readonly op: "event"; readonly agentId: string; readonly event: StoreEvent };

export interface CommitReceipt {
  /** `durable`: survives a power cut. `volatile`: the store never promised more than memory. `degraded`: it promised, and could not. */
  readonly durability: "durable" | "volatile" | "degraded";
  /** Encoded bytes that this commit added; 0 in memory. */
  readonly bytesWritten: number;
  /** The full headers of the batch's puts, in order. */
  readonly headers: readonly CheckpointHeader[];
}

/** What `list` filters by; all given conditions hold. Results are ordered by `sequence`. */
export interface HeaderQuery {
  readonly name?: string;
  readonly afterSequence?: number;
  readonly beforeSequence?: number;
  /** Newest first instead of oldest first. */
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** An agent as the store knows it. */
export interface AgentState {
  readonly agentId: string;
  readonly count: number;
  /** Highest sequence ever put, removed ones included. */
  readonly lastSequence: number;
  /** The current checkpoint: the last put or `head` event, whichever came later; null before the first, or once it was removed. */
  readonly headId: string | null;
  readonly openGuards: readonly {
    readonly guardId: string;
    readonly operation: string;
    readonly checkpointId: string;
  }[];
  readonly pinnedIds: readonly string[];
  readonly notes: Readonly<Record<string, Json>>;
}

/** The right to write one agent. */
export interface Lease {
  readonly agentId: string;
  /** Fencing token: every acquisition of an agent raises it. */
  readonly epoch: number;
  release(): Promise<void>;
}

/** Something that `verify` or a read found wrong. */
export interface StoreFinding {
  readonly kind: "damaged" | "missing" | "stale" | "superseded" | "orphaned" | "torn";
  /** Where: a file and offset, a row. */
  readonly place: string;
  readonly message: string;
  /** The checkpoints that cannot be restored because of it. */
  readonly affectedIds: readonly string[];
  /** What `repair` would do, or what a person can. */
  readonly remedy: string;
}

export interface CompactionReport {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly removedFiles: number;
}

/**
 * The port that every place to keep checkpoints implements. Managers, decorators and tools see nothing else.
 *
 * Calls may overlap. All methods reject with `CKPT_CLOSED` after `close`.
 */
export interface CheckpointStore {
  readonly supports: StoreCapabilities;

  /**
   * Applies all entries, or none. Resolves only when the batch is as safe as `durability` says; commits of one agent take
   * effect in the order of the calls. A `put` whose id exists with the same state hash and sequence is the same checkpoint and changes
   * nothing (a retry), unless what is stored may not last: a read found its bytes damaged, or whoever wrote it was never told that it is
   * durable. Then it is written anew, and the put moves the head as any other. With another hash or sequence the batch is refused with
   * `CKPT_CONFLICT`. A `put` whose sequence is not above the agent's last is refused likewise. Removing an id that does not exist is no
   * error. A put moves its agent's head; a `head` event for a checkpoint that is not there moves nothing. A removal takes the pin along,
   * for good, should the id come again. Rejects with `CKPT_LOCKED` or
   * `CKPT_FENCED` when the store has leases and the writer holds none for an agent in the batch: the caller acquires first.
   */
  commit(entries: readonly StoreEntry[], options?: { readonly signal?: AbortSignal }): Promise<CommitReceipt>;

  /** Headers by sequence. Never reads a state, never fails because one is damaged. */
  list(agentId: string, query?: HeaderQuery): Promise<CheckpointHeader[]>;

  /** The header of `id`, or undefined. */
  get(agentId: string, id: string): Promise<CheckpointHeader | undefined>;

  /**
   * The state, verified against `stateHash`. Rejects with `CKPT_NOT_FOUND`, or with `CKPT_CORRUPT` when any byte that it
   * depends on is damaged: a wrong state is never returned.
   */
  load(agentId: string, id: string, options?: { readonly signal?: AbortSignal }): Promise<Snapshot>;

  /** The agent's head, guards, pins and notes; undefined for an agent that never wrote. */
  agent(agentId: string): Promise<AgentState | undefined>;

  /** All agent ids, sorted. */
  agents(): Promise<string[]>;

  /** Takes the agent for this writer. Rejects with `CKPT_LOCKED` (details.holder) when it is held elsewhere; never waits. */
  acquire(agentId: string): Promise<Lease>;

  /** Streams what is wrong; an empty stream means that everything read back as it was put. `sample` (0..1] checks a part. */
  verify(options?: { readonly sample?: number; readonly signal?: AbortSignal }): AsyncIterable<StoreFinding>;

  /** Gives back the space of what was removed. Reads and commits go on meanwhile. */
  compact(options?: { readonly signal?: AbortSignal }): Promise<CompactionReport>;

  /** Findings that reads and opening met since the last call; handing them over clears them. */
  takeFindings(): StoreFinding[];

  /** Finishes what was acknowledged, then releases everything. Idempotent. */
  close(): Promise<void>;
}
