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
import { fail } from "./errors.js";
import type { HealthReporting, IncidentListener, StoreHealth } from "./health.js";
import { healthOf, Incidents } from "./incidents.js";

export interface Abortable {
  readonly signal?: AbortSignal;
}

export interface VerifyOptions extends Abortable {
  readonly sample?: number;
}

/** `CKPT_CLOSED`, for a store. */
export function storeClosed(): Error {
  return fail("CKPT_CLOSED", {
    message: "The store is closed",
    hint: "Open it again; nothing that was acknowledged is lost.",
  });
}

/** A store around a store: hands every call on, until a subclass changes one. */
export abstract class StoreDecorator implements CheckpointStore, HealthReporting {
  /** The decorated store. */
  readonly inner: CheckpointStore;
  protected readonly incidents = new Incidents();
  #closing: Promise<void> | undefined;

  constructor(inner: CheckpointStore) {
    this.inner = inner;
    this.incidents.forwardFrom(inner);
  }

  get supports(): StoreCapabilities {
    return this.inner.supports;
  }

  /** Whether `close` was called. */
  protected get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Throws `CKPT_CLOSED` once `close` was called. */
  protected assertOpen(): void {
    if (this.isClosed) throw storeClosed();
  }

  async commit(entries: readonly StoreEntry[], options?: Abortable): Promise<CommitReceipt> {
    this.assertOpen();
    return this.inner.commit(entries, options);
  }

  async list(agentId: string, query?: HeaderQuery): Promise<CheckpointHeader[]> {
    this.assertOpen();
    return this.inner.list(agentId, query);
  }

  async get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    this.assertOpen();
    return this.inner.get(agentId, id);
  }

  async load(agentId: string, id: string, options?: Abortable): Promise<Snapshot> {
    this.assertOpen();
    return this.inner.load(agentId, id, options);
  }

  async agent(agentId: string): Promise<AgentState | undefined> {
    this.assertOpen();
    return this.inner.agent(agentId);
  }

  async agents(): Promise<string[]> {
    this.assertOpen();
    return this.inner.agents();
  }

  async acquire(agentId: string): Promise<Lease> {
    this.assertOpen();
    return this.inner.acquire(agentId);
  }

  async *verify(options?: VerifyOptions): AsyncIterable<StoreFinding> {
    this.assertOpen();
    yield* this.inner.verify(options);
  }

  async compact(options?: Abortable): Promise<CompactionReport> {
    this.assertOpen();
    return this.inner.compact(options);
  }

  takeFindings(): StoreFinding[] {
    this.assertOpen();
    return this.inner.takeFindings();
  }

  /** Refuses calls from now on, finishes those before, closes the store below. Open again when that fails. */
  close(): Promise<void> {
    return this.closeAfter(async () => {});
  }

  /** The same with work of the decorator's own before the store below is closed. */
  protected closeAfter(finish: () => Promise<void>): Promise<void> {
    this.#closing ??= finish()
      .then(() => this.inner.close())
      .catch((error: unknown) => {
        this.#closing = undefined;
        throw error;
      });
    return this.#closing;
  }

  health(): StoreHealth {
    return healthOf(this.inner);
  }

  onIncident(listener: IncidentListener): () => void {
    return this.incidents.on(listener);
  }
}
