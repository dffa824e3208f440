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
import { throwIfAborted } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { checkRetryOptions, isTransient, type RetryOptions, retry } from "@ckpt/io";
import { AgentOrder, agentsOf } from "./agent-order.js";
import { captureEntries } from "./capture-entries.js";
import { invalidArgument } from "./errors.js";
import { type Abortable, StoreDecorator, storeClosed } from "./store-decorator.js";

/** How failures that often pass are tried again; the defaults are those of `retry` in @ckpt/io. */
export interface StoreRetryOptions
  extends Pick<RetryOptions, "tries" | "baseDelayMs" | "maxDelayMs" | "maxElapsedMs" | "random"> {
  /** On a full disk, compact once (at most once in `compactEveryMs`) and try once more. Default true. */
  readonly compactOnFull?: boolean;
  /** Milliseconds between two such compactions. Default 60,000. */
  readonly compactEveryMs?: number;
}

const COMPACT_EVERY_MS = 60_000;

/**
 * A store whose calls are tried again while they fail in a way that often passes (EAGAIN, EBUSY, EINTR, EMFILE, network, lock
 * contention on `acquire`), with exponential backoff and full jitter, bounded by tries, time and the signal. Permanent
 * failures reject at once; a full disk gets one compaction first. A batch that was written although it was reported as failed is
 * the same batch when it is written again. The commits of one agent go one after another, so that none overtakes a retry.
 *
 * Throws `CKPT_INVALID_ARGUMENT` for options that `retry` would refuse.
 */
export function withRetry(store: CheckpointStore, options: StoreRetryOptions = {}): CheckpointStore {
  return new RetryStore(store, options);
}

class RetryStore extends StoreDecorator {
  readonly #options: StoreRetryOptions;
  readonly #order = new AgentOrder();
  #compactedAtMs = Number.NEGATIVE_INFINITY;

  constructor(inner: CheckpointStore, options: StoreRetryOptions) {
    super(inner);
    checkRetryOptions(options);
    const { compactEveryMs = COMPACT_EVERY_MS } = options;
    if (!(compactEveryMs >= 0))
      throw invalidArgument(`The option compactEveryMs is ${compactEveryMs}`, "Give a number from 0 on.");
    this.#options = options;
  }

  async #try<T>(
    operation: string,
    signal: AbortSignal | undefined,
    run: () => Promise<T>,
    isRetryable: (error: unknown) => boolean = isRetryableCall,
  ): Promise<T> {
    try {
      return await run();
    } catch (error) {
      return await this.#again(operation, error, signal, run, isRetryable);
    }
  }

  /** After a first try that failed. That one goes bare: nearly all succeed, and owe the machinery here nothing. */
  #again<T>(
    operation: string,
    error: unknown,
    signal: AbortSignal | undefined,
    run: () => Promise<T>,
    isRetryable: (error: unknown) => boolean,
  ): Promise<T> {
    if (!isRetryable(error)) throw error;
    const { compactOnFull: _, compactEveryMs: __, ...backoff } = this.#options;
    let first = true;
    return retry(
      async () => {
        if (!first) return run();
        first = false;
        throw error;
      },
      {
        ...backoff,
        ...(signal !== undefined && { signal }),
        isRetryable,
        onRetry: ({ error: failure, delayMs }) =>
          this.incidents.emit({ kind: "retrying", operation, error: failure, delayMs }),
      },
    );
  }

  override async commit(given: readonly StoreEntry[], options?: Abortable): Promise<CommitReceipt> {
    if (this.isClosed) throw storeClosed();
    const entries = captureEntries(given);
    return this.#order.run(agentsOf(entries), () => this.#commit(entries, options), options?.signal);
  }

  async #commit(entries: readonly StoreEntry[], options: Abortable | undefined): Promise<CommitReceipt> {
    throwIfAborted(options?.signal, "The commit");
    try {
      return await this.inner.commit(entries, options);
    } catch (error) {
      return await this.#commitAfter(error, () => this.inner.commit(entries, options), options?.signal);
    }
  }

  async #commitAfter(
    error: unknown,
    run: () => Promise<CommitReceipt>,
    signal: AbortSignal | undefined,
  ): Promise<CommitReceipt> {
    try {
      return await this.#again("commit", error, signal, run, isRetryableCall);
    } catch (last) {
      if (!(await this.#madeRoom(last))) throw last;
      return await run();
    }
  }

  /** Compacts when the disk is full and that was not tried lately. */
  async #madeRoom(error: unknown): Promise<boolean> {
    const { compactOnFull = true, compactEveryMs = COMPACT_EVERY_MS } = this.#options;
    if (!compactOnFull || !this.supports.maintenance || !isCkptError(error, "CKPT_NO_SPACE")) return false;
    const nowMs = performance.now();
    if (nowMs - this.#compactedAtMs < compactEveryMs) return false;
    this.#compactedAtMs = nowMs;
    try {
      const { bytesBefore, bytesAfter } = await this.inner.compact();
      return bytesAfter < bytesBefore;
    } catch {
      // The full disk is what the caller has to hear of; that it could not be helped adds nothing.
      return false;
    }
  }

  override async list(agentId: string, query?: HeaderQuery): Promise<CheckpointHeader[]> {
    return this.#try("list", undefined, () => super.list(agentId, query));
  }

  override async get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    return this.#try("get", undefined, () => super.get(agentId, id));
  }

  override async load(agentId: string, id: string, options?: Abortable): Promise<Snapshot> {
    return this.#try("load", options?.signal, () => super.load(agentId, id, options));
  }

  override async agent(agentId: string): Promise<AgentState | undefined> {
    return this.#try("agent", undefined, () => super.agent(agentId));
  }

  override async agents(): Promise<string[]> {
    return this.#try("agents", undefined, () => super.agents());
  }

  override async acquire(agentId: string): Promise<Lease> {
    return this.#try("acquire", undefined, () => super.acquire(agentId), isTransient);
  }

  override close(): Promise<void> {
    return this.closeAfter(() => this.#order.idle());
  }

  override async compact(options?: Abortable): Promise<CompactionReport> {
    return this.#try("compact", options?.signal, () => super.compact(options));
  }
}

/** A lock that is missing does not come by waiting; one that is asked for may. */
function isRetryableCall(error: unknown): boolean {
  return !isCkptError(error, "CKPT_LOCKED") && isTransient(error);
}
