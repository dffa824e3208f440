import type {
  AgentState,
  CheckpointHeader,
  CheckpointStore,
  CommitReceipt,
  CompactionReport,
  HeaderQuery,
  Lease,
  Snapshot,
  StoreEntry,
} from "@ckpt/core";
import { agentsOf } from "./agent-order.js";
import { type Abortable, StoreDecorator } from "./store-decorator.js";

/** One call of the store port, as it ended. */
export interface StoreCall {
  readonly operation:
    | "commit"
    | "list"
    | "get"
    | "load"
    | "agent"
    | "agents"
    | "acquire"
    | "compact"
    | "close";
  /** The agents that it was about. */
  readonly agentIds: readonly string[];
  /** Milliseconds, monotonic. */
  readonly durationMs: number;
  /** A commit's entries; 0 for other calls. */
  readonly entries: number;
  /** Encoded bytes that a commit added; 0 for other calls. */
  readonly bytesWritten: number;
  /** A commit's durability; undefined for other calls and for failures. */
  readonly durability: CommitReceipt["durability"] | undefined;
  /** What it rejected with; undefined on success. */
  readonly error: unknown;
}

export interface TelemetryHooks {
  /** Called when a call has settled. Must be quick; what it throws becomes a process warning and changes nothing. */
  readonly onCall: (call: StoreCall) => void;
}

/**
 * A store that reports every call: name, agents, duration, bytes, outcome. Adds no retries and no buffering, and changes
 * no result. `verify` and `takeFindings` pass through unreported.
 */
export function withTelemetry(store: CheckpointStore, hooks: TelemetryHooks): CheckpointStore {
  return new TelemetryStore(store, hooks);
}

class TelemetryStore extends StoreDecorator {
  readonly #hooks: TelemetryHooks;

  constructor(inner: CheckpointStore, hooks: TelemetryHooks) {
    super(inner);
    this.#hooks = hooks;
  }

  async #timed<T>(
    operation: StoreCall["operation"],
    agentIds: readonly string[],
    call: () => Promise<T>,
    commit?: (result: T) => Pick<StoreCall, "entries" | "bytesWritten" | "durability">,
  ): Promise<T> {
    const startMs = performance.now();
    const none = { entries: 0, bytesWritten: 0, durability: undefined };
    try {
      const result = await call();
      const facts = commit?.(result) ?? none;
      this.#report({
        operation,
        agentIds,
        durationMs: performance.now() - startMs,
        ...facts,
        error: undefined,
      });
      return result;
    } catch (error) {
      this.#report({ operation, agentIds, durationMs: performance.now() - startMs, ...none, error });
      throw error;
    }
  }

  #report(call: StoreCall): void {
    try {
      this.#hooks.onCall(call);
    } catch (error) {
      process.emitWarning(`A telemetry hook threw on ${call.operation}: ${String(error)}`, "CkptWarning");
    }
  }

  override commit(entries: readonly StoreEntry[], options?: Abortable): Promise<CommitReceipt> {
    return this.#timed(
      "commit",
      agentsOf(entries),
      () => super.commit(entries, options),
      ({ bytesWritten, durability }) => ({ entries: entries.length, bytesWritten, durability }),
    );
  }

  override list(agentId: string, query?: HeaderQuery): Promise<CheckpointHeader[]> {
    return this.#timed("list", [agentId], () => super.list(agentId, query));
  }

  override get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    return this.#timed("get", [agentId], () => super.get(agentId, id));
  }

  override load(agentId: string, id: string, options?: Abortable): Promise<Snapshot> {
    return this.#timed("load", [agentId], () => super.load(agentId, id, options));
  }

  override agent(agentId: string): Promise<AgentState | undefined> {
    return this.#timed("agent", [agentId], () => super.agent(agentId));
  }

  override agents(): Promise<string[]> {
    return this.#timed("agents", [], () => super.agents());
  }

  override acquire(agentId: string): Promise<Lease> {
    return this.#timed("acquire", [agentId], () => super.acquire(agentId));
  }

  override compact(options?: Abortable): Promise<CompactionReport> {
    return this.#timed("compact", [], () => super.compact(options));
  }

  override close(): Promise<void> {
    return this.#timed("close", [], () => super.close());
  }
}
