import { CkptError } from "@ckpt/errors";
import { throwIfAborted } from "./abort.js";
import type { CheckpointDraft, CheckpointHeader } from "./checkpoint-header.js";
import { validateAgentId, validateCheckpointId, validateName } from "./identifiers.js";
import { MemoryAgent } from "./memory-agent.js";
import { BatchCheck } from "./memory-batch.js";
import { captureMetadata, freezeJson } from "./metadata.js";
import { checkpointNotFound } from "./not-found.js";
import type { Snapshot } from "./snapshot.js";
import type {
  AgentState,
  CheckpointStore,
  CommitReceipt,
  CompactionReport,
  HeaderQuery,
  Lease,
  StoreCapabilities,
  StoreEntry,
  StoreFinding,
} from "./store.js";

/**
 * The store port in memory. States are frozen, share structure, and are kept as what each added to the one before, so a history costs about its newest
 * state and what changed.
 * It lives as long as the object: receipts say `volatile`.
 *
 * `acquire` gives out one lease per agent; `commit` does not ask for it, because no other process can reach this store.
 */
export class MemoryStore implements CheckpointStore {
  readonly supports: StoreCapabilities = Object.freeze({
    durable: false,
    leases: false,
    fencing: false,
    maintenance: false,
  });
  readonly #agents = new Map<string, MemoryAgent>();
  readonly #leases = new Map<string, { epoch: number; held: boolean; since: string }>();
  #closed = false;

  async commit(
    entries: readonly StoreEntry[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<CommitReceipt> {
    this.#assertOpen("commit");
    throwIfAborted(options.signal, "commit");
    const batch = new BatchCheck((agentId) => this.#agents.get(agentId));
    // First everything that can be refused, then everything that cannot fail: all or nothing.
    const steps = entries.map((entry) => this.#prepare(entry, batch));
    const headers: CheckpointHeader[] = [];
    for (const step of steps) {
      const header = step();
      if (header !== undefined) headers.push(header);
    }
    return { durability: "volatile", bytesWritten: 0, headers };
  }

  async list(agentId: string, query: HeaderQuery = {}): Promise<CheckpointHeader[]> {
    this.#assertOpen("list");
    return this.#agents.get(agentId)?.list(query) ?? [];
  }

  async get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    this.#assertOpen("get");
    return this.#agents.get(agentId)?.get(id)?.header;
  }

  async load(
    agentId: string,
    id: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Snapshot> {
    this.#assertOpen("load");
    throwIfAborted(options.signal, "load");
    const record = this.#agents.get(agentId)?.get(id);
    if (record !== undefined) return record.state.restore();
    throw checkpointNotFound(agentId, id);
  }

  async agent(agentId: string): Promise<AgentState | undefined> {
    this.#assertOpen("agent");
    return this.#agents.get(agentId)?.state();
  }

  async agents(): Promise<string[]> {
    this.#assertOpen("agents");
    return [...this.#agents.keys()].sort();
  }

  async acquire(agentId: string): Promise<Lease> {
    this.#assertOpen("acquire");
    validateAgentId(agentId);
    const former = this.#leases.get(agentId);
    if (former?.held)
      throw new CkptError("CKPT_LOCKED", {
        message: `Agent ${JSON.stringify(agentId)} is held by another manager on this store, since ${former.since}.`,
        hint: "Close that manager first, or use it; one agent has one writer.",
        details: { agentId, holder: { pid: process.pid, since: former.since, epoch: former.epoch } },
      });
    const mine = { epoch: (former?.epoch ?? 0) + 1, held: true, since: new Date().toISOString() };
    this.#leases.set(agentId, mine);
    return Object.freeze({
      agentId,
      epoch: mine.epoch,
      release: async () => {
        mine.held = false;
      },
    });
  }

  async *verify(
    options: { readonly sample?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<StoreFinding> {
    this.#assertOpen("verify");
    throwIfAborted(options.signal, "verify");
    yield* []; // What is frozen in memory is what was put; there are no bytes to check.
  }

  async compact(options: { readonly signal?: AbortSignal } = {}): Promise<CompactionReport> {
    this.#assertOpen("compact");
    throwIfAborted(options.signal, "compact");
    return { bytesBefore: 0, bytesAfter: 0, removedFiles: 0 };
  }

  takeFindings(): StoreFinding[] {
    this.#assertOpen("takeFindings");
    return [];
  }

  /** Forgets everything. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#agents.clear();
    this.#leases.clear();
  }

  /** Checks one entry against the batch so far, copies what is the caller's, and returns the step that cannot fail. */
  #prepare(entry: StoreEntry, batch: BatchCheck): () => CheckpointHeader | undefined {
    if (entry.op === "remove") {
      const { agentId, ids } = { ...entry, ids: [...entry.ids] };
      batch.remove(agentId, ids);
      return () => void this.#agents.get(agentId)?.remove(ids);
    }
    if (entry.op === "event") {
      const { agentId } = entry;
      const event = freezeJson(entry.event, "event") as typeof entry.event;
      validateAgentId(agentId);
      return () => void this.#agentOf(agentId).record(event);
    }
    const { snapshot } = entry;
    const header = this.#headerOf(entry.header, snapshot);
    const existing = batch.put(header);
    return () => {
      if (existing !== undefined) return existing;
      this.#agentOf(header.agentId).put(header, snapshot);
      return header;
    };
  }

  #headerOf(draft: CheckpointDraft, snapshot: Snapshot): CheckpointHeader {
    const agentId = validateAgentId(draft.agentId);
    return Object.freeze({
      id: validateCheckpointId(draft.id),
      agentId,
      sequence: draft.sequence,
      name: validateName(draft.name),
      timestamp: draft.timestamp,
      parentId: draft.parentId,
      stateHash: snapshot.hash,
      stateBytes: snapshot.weight,
      metadata: captureMetadata(draft.metadata),
      schemaVersion: draft.schemaVersion,
      epoch: this.#leases.get(agentId)?.epoch ?? 0,
    });
  }

  #agentOf(agentId: string): MemoryAgent {
    const agent = this.#agents.get(agentId) ?? new MemoryAgent(agentId);
    this.#agents.set(agentId, agent);
    return agent;
  }

  #assertOpen(call: string): void {
    if (!this.#closed) return;
    throw new CkptError("CKPT_CLOSED", {
      message: `The memory store is closed; ${call} was called after close().`,
      hint: "Open a new store; what a memory store held went with it.",
      details: { call },
    });
  }
}
