import type { CheckpointStore, StoreEntry } from "@ckpt/core";
import { throwIfAborted, untilAborted } from "@ckpt/core";
import { fail } from "./errors.js";
import type { StoreHealth } from "./health.js";
import type { Incidents } from "./incidents.js";
import type { PendingCommit, PendingCommits } from "./pending-commits.js";
import { describeError, isPlaceFailure } from "./place-failure.js";

/** Batches that go out together in one commit. */
const FLUSH_BATCHES = 32;

interface FlusherSettings {
  readonly minFlushDelayMs: number;
  readonly maxFlushDelayMs: number;
}

/** Writes what waits in memory, oldest first, one commit at a time, and tries again with growing pauses. */
export class Flusher {
  readonly #store: CheckpointStore;
  readonly #pending: PendingCommits;
  readonly #incidents: Incidents;
  readonly #settings: FlusherSettings;
  readonly #onWritten: (entries: readonly StoreEntry[]) => void;
  #delayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<boolean> | undefined;
  #sinceMs: number | null = null;
  #startedMs = 0;
  #lastError: unknown;
  #placeIsDown = false;

  constructor(
    store: CheckpointStore,
    pending: PendingCommits,
    incidents: Incidents,
    settings: FlusherSettings,
    onWritten: (entries: readonly StoreEntry[]) => void,
  ) {
    this.#store = store;
    this.#pending = pending;
    this.#incidents = incidents;
    this.#settings = settings;
    this.#onWritten = onWritten;
    this.#delayMs = settings.minFlushDelayMs;
  }

  get lastError(): unknown {
    return this.#lastError;
  }

  /** Whether the last try failed for the place's sake: the next one would as well. */
  get placeIsDown(): boolean {
    return this.#placeIsDown;
  }

  /** A batch was put into memory because of `reason`: sees to it that a flush is tried. */
  begin(reason: unknown): void {
    if (this.#sinceMs === null) {
      this.#sinceMs = Date.now();
      this.#startedMs = performance.now();
      this.#lastError = reason;
      this.#placeIsDown = true;
      this.#incidents.emit({ kind: "degraded", error: reason });
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#running !== undefined || this.#pending.count === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Never rejects without a signal.
      void this.flush();
    }, this.#delayMs);
    // A process that has nothing else to do may end: `close` is what waits for the flush.
    this.#timer.unref();
    this.#delayMs = Math.min(this.#delayMs * 2, this.#settings.maxFlushDelayMs);
  }

  /** Tries now. Resolves to whether nothing is left; rejects only with `CKPT_ABORTED`, and is not broken off by that. */
  async flush(signal?: AbortSignal): Promise<boolean> {
    throwIfAborted(signal, "The flush");
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
    const running = this.#running;
    return untilAborted(signal, "The flush", () => running);
  }

  async #writeAll(): Promise<boolean> {
    this.stop();
    const held = new Set<string>();
    let limit = FLUSH_BATCHES;
    for (;;) {
      const batches = this.#pending.first(limit, held);
      if (batches.length === 0) break;
      try {
        await this.#commit(batches);
        this.#placeIsDown = false;
      } catch (error) {
        this.#lastError = error;
        this.#placeIsDown = isPlaceFailure(error);
        if (this.#placeIsDown) return false;
        // Refused for what one of them is: found out one by one. What is refused alone stays, and holds up its agents only.
        if (batches.length === 1) for (const id of batches[0]!.agentIds) held.add(id);
        limit = 1;
      }
    }
    if (this.#pending.count > 0) return false;
    this.#recovered();
    return true;
  }

  async #commit(batches: readonly PendingCommit[]): Promise<void> {
    const entries: StoreEntry[] = batches.flatMap((batch) => [...batch.entries]);
    await this.#store.commit(entries);
    this.#onWritten(entries);
    this.#pending.drop(batches);
    const checkpointIds = batches.flatMap((batch) => batch.headers.map((header) => header.id));
    this.#delayMs = this.#settings.minFlushDelayMs;
    this.#incidents.emit({ kind: "flushed", checkpointIds, commits: batches.length });
  }

  #recovered(): void {
    if (this.#sinceMs === null) return;
    const degradedForMs = performance.now() - this.#startedMs;
    this.#sinceMs = null;
    this.#lastError = undefined;
    this.#placeIsDown = false;
    this.#incidents.emit({ kind: "recovered", degradedForMs });
  }

  /** Flushes for at most `timeoutMs`, everything or one agent's; rejects with `CKPT_NOT_FLUSHED` when some of it is left. */
  async flushWithin(timeoutMs: number, agentId?: string): Promise<void> {
    const isLeft = () => (agentId === undefined ? this.#pending.count > 0 : this.#pending.concerns(agentId));
    const deadlineMs = performance.now() + timeoutMs;
    for (let pauseMs = 10; isLeft(); pauseMs = Math.min(pauseMs * 2, 500)) {
      await within(this.flush(), deadlineMs - performance.now());
      if (!isLeft()) return;
      if (performance.now() >= deadlineMs) throw this.#notFlushed(timeoutMs, agentId);
      await elapsed(Math.min(pauseMs, deadlineMs - performance.now()));
    }
  }

  #notFlushed(timeoutMs: number, agentId: string | undefined): Error {
    const pendingIds = this.#pending.idsOf(agentId);
    return fail("CKPT_NOT_FLUSHED", {
      message: `${pendingIds.length} checkpoints are in memory only after ${timeoutMs} ms`,
      hint: "Nothing was closed. Make the place writable and close again, or give them up with close({ discard: true }).",
      cause: this.#lastError,
      details: { pendingIds, pendingCommits: this.#pending.count, pendingBytes: this.#pending.bytes },
    });
  }

  /** Gives up everything, or what is one agent's. */
  discard(agentId?: string): void {
    this.#pending.discard(agentId);
    if (this.#pending.count > 0) return;
    this.#sinceMs = null;
    this.#placeIsDown = false;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  health(): Pick<
    StoreHealth,
    "degradedSince" | "pendingCommits" | "pendingBytes" | "pendingIds" | "lastError"
  > {
    return {
      degradedSince: this.#sinceMs,
      pendingCommits: this.#pending.count,
      pendingBytes: this.#pending.bytes,
      pendingIds: this.#pending.idsOf(),
      lastError: this.#lastError === undefined ? null : describeError(this.#lastError),
    };
  }
}

/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits for `work`, at most `ms`. No timer stays behind: it would keep the process from ending. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsing = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(Math.max(0, ms), MAX_TIMER_MS));
  });
  try {
    await Promise.race([work, elapsing]);
  } finally {
    clearTimeout(timer);
  }
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
