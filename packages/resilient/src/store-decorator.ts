import type {
  AgentState,
  CheckpointHeader,
  CheckpointStore,
  CommitReceipt,
  CompactionReport,
  HeaderQuery,
  Lease,
  Snapshot,
  StoreCapabilities,
  StoreEntry,
  StoreFinding,
} from "@ckpt/core";
import type { HealthReporting, IncidentListener, StoreHealth } from "./health.js";
import { healthOf, Incidents } from "./incidents.js";

export interface Abortable {
  readonly signal?: AbortSignal;
}

/** A store around a store: hands every call on, until a subclass changes one. */
export abstract class StoreDecorator implements CheckpointStore, HealthReporting {
  /** The decorated store. */
  readonly inner: CheckpointStore;
  protected readonly incidents = new Incidents();

  constructor(inner: CheckpointStore) {
    this.inner = inner;
    this.incidents.forwardFrom(inner);
  }

  get supports(): StoreCapabilities {
    return this.inner.supports;
  }

  commit(entries: readonly StoreEntry[], options?: Abortable): Promise<CommitReceipt> {
    return this.inner.commit(entries, options);
  }

  list(agentId: string, query?: HeaderQuery): Promise<CheckpointHeader[]> {
    return this.inner.list(agentId, query);
  }

  get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    return this.inner.get(agentId, id);
  }

  load(agentId: string, id: string, options?: Abortable): Promise<Snapshot> {
    return this.inner.load(agentId, id, options);
  }

  agent(agentId: string): Promise<AgentState | undefined> {
    return this.inner.agent(agentId);
  }

  agents(): Promise<string[]> {
    return this.inner.agents();
  }

  acquire(agentId: string): Promise<Lease> {
    return this.inner.acquire(agentId);
  }

  verify(options?: { readonly sample?: number; readonly signal?: AbortSignal }): AsyncIterable<StoreFinding> {
    return this.inner.verify(options);
  }

  compact(options?: Abortable): Promise<CompactionReport> {
    return this.inner.compact(options);
  }

  takeFindings(): StoreFinding[] {
    return this.inner.takeFindings();
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  health(): StoreHealth {
    return healthOf(this.inner);
  }

  onIncident(listener: IncidentListener): () => void {
    return this.incidents.on(listener);
  }
}
