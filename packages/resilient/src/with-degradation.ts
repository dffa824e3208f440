import { setImmediate } from "node:timers/promises";
import type {
  AgentState,
  CheckpointHeader,
  CheckpointStore,
  CommitReceipt,
  HeaderQuery,
  Lease,
  Snapshot,
  StoreEntry,
  StoreFinding,
} from "@ckpt/core";
import { throwIfAborted } from "@ckpt/core";
import { newAgent } from "./agent-facts.js";
import { AgentOrder, agentsOf } from "./agent-order.js";
import { captureEntries } from "./capture-entries.js";
import { checkRepeat, degradedHeaders, staleRead } from "./degraded-batch.js";
import { fail } from "./errors.js";
import { Flusher } from "./flusher.js";
import { widened } from "./header-query.js";
import type { HealthReporting, StoreHealth } from "./health.js";
import { HeldAgents } from "./held-agents.js";
import { PendingCommits, sum } from "./pending-commits.js";
import { isPlaceFailure } from "./place-failure.js";
import { type Abortable, StoreDecorator, storeClosed } from "./store-decorator.js";

export interface DegradationOptions {
  /**
   * The most that waiting batches may hold, in bytes of metadata, notes, and state not shared among them. Beyond it a commit rejects; 0: at
   * once, as the place does. Default 64 MiB.
   */
  readonly maxBytes?: number;
  /** First pause before a flush is tried again, milliseconds; it doubles up to `maxFlushDelayMs`. Default 250. */
  readonly minFlushDelayMs?: number;
  /** Longest pause between two tries to flush, milliseconds. Default 5,000. */
  readonly maxFlushDelayMs?: number;
}

export interface CloseOptions {
  /** How long to try to flush, milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Give up what is only in memory. */
  readonly discard?: boolean | undefined;
}

export const DEGRADATION_DEFAULTS = Object.freeze({
  maxBytes: 64 * 1024 * 1024,
  minFlushDelayMs: 250,
  maxFlushDelayMs: 5_000,
});

const CLOSE_TIMEOUT_MS = 5_000;

/** A store that goes on in memory, and says so, while its place takes no writes. */
export interface DegradingStore extends CheckpointStore, HealthReporting {
  /** Tries now to write what is in memory only, in order. Resolves to whether nothing is left. */
  flush(options?: Abortable): Promise<boolean>;
  /**
   * Flushes one agent's commits. With something left after `timeoutMs` it rejects with `CKPT_NOT_FLUSHED`; `discard` gives up
   * what is this agent's; of a batch that it shares with others, their part stays.
   */
  settle(agentId: string, options?: CloseOptions): Promise<void>;
  /**
   * Flushes, then closes the store below. With something left after `timeoutMs` it rejects with `CKPT_NOT_FLUSHED`
   * and stays open; `discard` gives it up instead.
   */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * A store whose commits, while the place below fails (I/O, space, permission, time), are kept in memory, bounded, and
 * acknowledged as `degraded`; they are written in order once the place is well again. Reads see them meanwhile. Only an agent
 * whose lease is held degrades: without it another writer could own the numbers.
 *
 * Refusals of the call itself (conflict, lock, limit, damage) are never buffered. Errors: those of the store,
 * `CKPT_MEMORY_FULL` beyond `maxBytes`, `CKPT_NOT_FLUSHED` from `close`.
 */
export function withDegradation(store: CheckpointStore, options: DegradationOptions = {}): DegradingStore {
  return new DegradationStore(store, options);
}

class DegradationStore extends StoreDecorator implements DegradingStore {
  readonly #maxBytes: number;
  readonly #pending = new PendingCommits();
  readonly #order = new AgentOrder();
  readonly #flusher: Flusher;
  readonly #held = new HeldAgents();
  #staleReads: StoreFinding[] = [];

  constructor(inner: CheckpointStore, options: DegradationOptions) {
    super(inner);
    const settings = { ...DEGRADATION_DEFAULTS, ...options };
    this.#maxBytes = settings.maxBytes;
    this.#flusher = new Flusher(inner, this.#pending, this.incidents, settings, (entries) =>
      this.#held.learn(entries),
    );
  }

  override async acquire(agentId: string): Promise<Lease> {
    const lease = await super.acquire(agentId);
    const { epoch } = lease;
    let known: AgentState | undefined;
    try {
      known = await this.inner.agent(agentId);
    } catch (error) {
      await lease.release();
      throw error;
    }
    const letGo = this.#held.take(agentId, epoch, known ?? newAgent(agentId));
    const release = async () => {
      letGo();
      await lease.release();
    };
    return { agentId, epoch, release };
  }

  override async commit(given: readonly StoreEntry[], options?: Abortable): Promise<CommitReceipt> {
    if (this.isClosed) throw storeClosed();
    const entries = captureEntries(given);
    const agentIds = agentsOf(entries);
    return this.#order.run(agentIds, () => this.#commit(agentIds, entries, options), options?.signal);
  }

  async #commit(
    agentIds: readonly string[],
    entries: readonly StoreEntry[],
    options: Abortable | undefined,
  ): Promise<CommitReceipt> {
    throwIfAborted(options?.signal, "The commit");
    if (this.#mustWait(agentIds)) {
      // Memory answers without I/O: an agent that does nothing but save would keep the flush from ever having its turn.
      await setImmediate();
      const checked = await this.#check(entries);
      // Still so after the look below: behind what waits already, or the order would be lost.
      if (this.#mustWait(agentIds)) return this.#keep(entries, checked, this.#flusher.lastError);
    }
    try {
      const receipt = await this.inner.commit(entries, options);
      this.#held.learn(entries);
      return receipt;
    } catch (error) {
      if (!isPlaceFailure(error) || !this.#mayDegrade(agentIds)) throw error;
      return this.#keep(entries, await this.#check(entries), error);
    }
  }

  #mustWait(agentIds: readonly string[]): boolean {
    if (this.#pending.count === 0) return false;
    return this.#flusher.placeIsDown || agentIds.some((id) => this.#pending.concerns(id));
  }

  #mayDegrade(agentIds: readonly string[]): boolean {
    return !this.supports.leases || agentIds.every((id) => this.#held.has(id));
  }

  /** Refuses what the place would refuse; resolves to the headers that the receipt states. */
  async #check(entries: readonly StoreEntry[]): Promise<readonly CheckpointHeader[]> {
    const headers = degradedHeaders(entries, (id) => this.#held.epochOf(id));
    const last = new Map<string, number>();
    for (const id of agentsOf(entries)) last.set(id, (await this.#agent(id))?.lastSequence ?? 0);
    for (const header of headers) {
      const lastSequence = last.get(header.agentId) ?? 0;
      if (header.sequence > lastSequence) last.set(header.agentId, header.sequence);
      else checkRepeat(header, await this.#get(header.agentId, header.id), lastSequence);
    }
    return headers;
  }

  #keep(
    entries: readonly StoreEntry[],
    headers: readonly CheckpointHeader[],
    reason: unknown,
  ): CommitReceipt {
    if (this.#maxBytes === 0) throw reason;
    const sizes = this.#pending.measure(entries);
    const bytes = sum(sizes);
    if (this.#pending.bytes + bytes > this.#maxBytes) {
      throw fail("CKPT_MEMORY_FULL", {
        message: `No place takes writes, and memory holds ${this.#pending.bytes} of at most ${this.#maxBytes} bytes already`,
        hint: "This save was not kept; the ones before it are. Make the place writable again, or raise memoryBytesWhenDegraded.",
        cause: reason,
        details: { pendingBytes: this.#pending.bytes, maxBytes: this.#maxBytes, neededBytes: bytes },
      });
    }
    this.#pending.push(entries, headers, sizes);
    this.#flusher.begin(reason);
    return { durability: "degraded", bytesWritten: 0, headers };
  }

  override async list(agentId: string, query: HeaderQuery = {}): Promise<CheckpointHeader[]> {
    if (!this.#pending.concerns(agentId)) return super.list(agentId, query);
    this.assertOpen();
    const wide = widened(query, this.#pending.touched(agentId));
    const below = await this.#readOr(agentId, [], () => this.inner.list(agentId, wide));
    return this.#pending.overHeaders(agentId, below, query);
  }

  override async get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    this.assertOpen();
    return this.#get(agentId, id);
  }

  async #get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    const fate = this.#pending.fate(agentId, id);
    if (fate === "untouched") return this.inner.get(agentId, id);
    return this.#pending.overHeaders(agentId, []).find((header) => header.id === id);
  }

  override async load(agentId: string, id: string, options?: Abortable): Promise<Snapshot> {
    this.assertOpen();
    const fate = this.#pending.fate(agentId, id);
    const snapshot = fate === "put" ? this.#pending.snapshot(agentId, id) : undefined;
    if (snapshot !== undefined) return snapshot;
    if (fate === "removed") {
      throw fail("CKPT_NOT_FOUND", {
        message: `Checkpoint ${id} was removed`,
        hint: "List the agent's checkpoints and choose another.",
        details: { id, agentId },
      });
    }
    return this.inner.load(agentId, id, options);
  }

  override async agent(agentId: string): Promise<AgentState | undefined> {
    this.assertOpen();
    if (this.#pending.count === 0) return this.inner.agent(agentId);
    const state = await this.#agent(agentId);
    if (state === undefined || !this.#pending.removesOf(agentId)) return state;
    // Which of the removed ones are there at all, only the headers tell.
    const below = await this.#readOr(agentId, undefined, () => this.inner.list(agentId));
    return below === undefined
      ? state
      : { ...state, count: this.#pending.overHeaders(agentId, below).length };
  }

  async #agent(agentId: string): Promise<AgentState | undefined> {
    const known = this.#held.known(agentId);
    const isStale = known === undefined;
    const below = await this.#readOr(agentId, known, () => this.inner.agent(agentId), isStale);
    if (!this.#pending.concerns(agentId)) return below;
    return this.#pending.overAgent(below ?? newAgent(agentId));
  }

  override async agents(): Promise<string[]> {
    const below = await super.agents();
    if (this.#pending.count === 0) return below;
    return [...new Set([...below, ...this.#pending.agentIds()])].sort();
  }

  /** Reads below; while that fails for the place's sake, answers with what is known, and says so where that may not be all. */
  async #readOr<T>(agentId: string, known: T, read: () => Promise<T>, isStale = true): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!isPlaceFailure(error)) throw error;
      if (!isStale) return known;
      const others = this.#staleReads.filter(({ place }) => place !== agentId);
      this.#staleReads = [...others, staleRead(agentId, error)];
      return known;
    }
  }

  override takeFindings(): StoreFinding[] {
    const findings = [...super.takeFindings(), ...this.#staleReads];
    this.#staleReads = [];
    return findings;
  }

  async flush(options?: Abortable): Promise<boolean> {
    this.assertOpen();
    return this.#flusher.flush(options?.signal);
  }

  async settle(agentId: string, options: CloseOptions = {}): Promise<void> {
    await this.#order.idle();
    if (options.discard === true) this.#flusher.discard(agentId);
    else await this.#flusher.flushWithin(options.timeoutMs ?? CLOSE_TIMEOUT_MS, agentId);
  }

  override close(options: CloseOptions = {}): Promise<void> {
    // One that waits for the flush already hears of it too, and ends.
    if (options.discard === true && this.isClosed)
      void this.#order.idle().then(() => this.#flusher.discard());
    return this.closeAfter(async () => {
      await this.#order.idle();
      if (options.discard === true) this.#flusher.discard();
      else await this.#flusher.flushWithin(options.timeoutMs ?? CLOSE_TIMEOUT_MS);
      this.#flusher.stop();
    });
  }

  override health(): StoreHealth {
    return { ...super.health(), ...this.#flusher.health() };
  }
}
