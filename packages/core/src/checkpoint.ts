import type { SignalOption } from "./abort.js";
import type { CheckpointHeader, Json } from "./checkpoint-header.js";
import type { Snapshot } from "./snapshot.js";
import type { CommitReceipt } from "./store.js";

/** How a handle gets at its state; the manager that made it is one. */
export interface StateReader<State> {
  readData(header: CheckpointHeader, options: SignalOption): Promise<State>;
  readSnapshot(header: CheckpointHeader, options: SignalOption): Promise<Snapshot>;
}

/** A checkpoint as a handle: its header's fields, and its state on request. It holds no state itself. */
export class Checkpoint<State = unknown> implements CheckpointHeader {
  readonly id: string;
  readonly agentId: string;
  readonly sequence: number;
  readonly name: string;
  readonly timestamp: string;
  readonly parentId: string | null;
  readonly stateHash: string;
  readonly stateBytes: number;
  readonly metadata: { readonly [key: string]: Json };
  readonly schemaVersion: number | null;
  readonly epoch: number;
  readonly #reader: StateReader<State>;

  constructor(header: CheckpointHeader, reader: StateReader<State>) {
    this.id = header.id;
    this.agentId = header.agentId;
    this.sequence = header.sequence;
    this.name = header.name;
    this.timestamp = header.timestamp;
    this.parentId = header.parentId;
    this.stateHash = header.stateHash;
    this.stateBytes = header.stateBytes;
    this.metadata = header.metadata;
    this.schemaVersion = header.schemaVersion;
    this.epoch = header.epoch;
    this.#reader = reader;
  }

  /**
   * The state as a fresh value of its own, with its rich types, carried to the current version and judged by the schema.
   * Rejects with `CKPT_NOT_FOUND` when it was removed meanwhile, `CKPT_CORRUPT`, `CKPT_NEWER_VERSION`,
   * `CKPT_MIGRATION_FAILED`, `CKPT_INVALID_STATE`, `CKPT_ABORTED` or `CKPT_CLOSED`.
   */
  data(options: SignalOption = {}): Promise<State> {
    return this.#reader.readData(this, options);
  }

  /** The frozen snapshot, as stored: neither migrated nor judged. Rejects as `data` does. */
  snapshot(options: SignalOption = {}): Promise<Snapshot> {
    return this.#reader.readSnapshot(this, options);
  }

  /** The header as plain JSON. */
  toJSON(): CheckpointHeader {
    const { id, agentId, sequence, name, timestamp, parentId } = this;
    const { stateHash, stateBytes, metadata, schemaVersion, epoch } = this;
    return {
      id,
      agentId,
      sequence,
      name,
      timestamp,
      parentId,
      stateHash,
      stateBytes,
      metadata,
      schemaVersion,
      epoch,
    };
  }
}

/** What a save resolves to: the checkpoint, and how safe it is. */
export class SavedCheckpoint<State = unknown> extends Checkpoint<State> {
  /** `durable`: survives a power cut. `volatile`: lives as long as the store object. `degraded`: see the store. */
  readonly durability: CommitReceipt["durability"];

  constructor(header: CheckpointHeader, durability: CommitReceipt["durability"], reader: StateReader<State>) {
    super(header, reader);
    this.durability = durability;
  }
}
