import type { CheckpointHeader, Snapshot } from "@ckpt/core";
import type { AgentHistory } from "./agent-history.js";
import type { EventEntry, PutEntry, RemovalEntry } from "./entry.js";

/** The last put of an agent in the current segment: what the next delta is on. */
export interface DeltaBase {
  readonly put: PutEntry;
  readonly snapshot: Snapshot;
  /** Number of the segment that holds the chain. */
  readonly segment: number;
  /** State records of the chain so far, in bytes. */
  chainBytes: number;
  /** Deltas of the chain so far. */
  readonly deltas: number;
}

/** A put that is on its way. */
export interface PendingPut {
  readonly sequence: number;
  readonly snapshot: Snapshot;
  /** Set once it is planned; counts once `commit` is done. */
  header: CheckpointHeader | undefined;
  commit: { readonly done: Promise<unknown> } | undefined;
}

/** What a commit brings, as far as its agents count with it. */
type NumberedItem =
  | (PendingPut & {
      readonly kind: "put";
      readonly writer: AgentWriter;
      readonly n: number;
      readonly draft: { readonly id: string };
    })
  | { readonly kind: "fact"; readonly writer: AgentWriter; readonly entry: RemovalEntry | EventEntry };

/** A commit that is on its way. */
interface WorkOnItsWay {
  readonly items: readonly NumberedItem[];
}

/**
 * What this process knows while it holds an agent: the history as acknowledged, and what is on its way. Numbers and sequences
 * are given out at the call, so that calls may overlap.
 */
export class AgentWriter {
  readonly agentId: string;
  readonly epoch: number;
  readonly history: AgentHistory;
  base: DeltaBase | undefined;
  lastSequence = 0;
  #lastNumber = 0;
  #pending = 0;
  #idle: (() => void)[] = [];
  readonly #puts = new Map<string, PendingPut>();
  readonly #removed = new Set<string>();

  constructor(agentId: string, epoch: number, history: AgentHistory) {
    this.agentId = agentId;
    this.epoch = epoch;
    this.history = history;
    this.reset();
  }

  /** What has the id once everything on its way is done. */
  find(id: string): { readonly stored: PutEntry } | { readonly pending: PendingPut } | undefined {
    const pending = this.#puts.get(id);
    if (pending !== undefined) return { pending };
    const stored = this.#removed.has(id) ? undefined : this.history.find(id);
    return stored === undefined ? undefined : { stored };
  }

  nextNumber(): number {
    return ++this.#lastNumber;
  }

  willPut(id: string, put: PendingPut): void {
    this.#puts.set(id, put);
    this.#removed.delete(id);
    this.lastSequence = Math.max(this.lastSequence, put.sequence);
  }

  willRemove(ids: readonly string[]): void {
    for (const id of ids) {
      this.#puts.delete(id);
      this.#removed.add(id);
    }
  }

  begin(): void {
    this.#pending++;
  }

  /** A commit of this agent is applied to the history. */
  done(): void {
    if (--this.#pending > 0) this.#forgetStored();
    else {
      this.#puts.clear();
      this.#removed.clear();
      this.#wake();
    }
  }

  /** Where there is always a commit on its way, what is stored must not pile up. Commits are applied in order: the oldest first. */
  #forgetStored(): void {
    for (const id of this.#puts.keys()) {
      if (this.history.find(id) === undefined) return;
      this.#puts.delete(id);
    }
  }

  /**
   * What was on its way was given up, except for what `left` still brings: back to what was acknowledged, and that. The next put is a
   * keyframe.
   */
  reset(left: readonly WorkOnItsWay[] = []): void {
    this.#pending = 0;
    this.#puts.clear();
    this.#removed.clear();
    this.base = undefined;
    this.lastSequence = this.history.lastSequence;
    this.#lastNumber = this.history.lastNumber;
    for (const { items } of left) {
      this.begin();
      for (const item of items) if (item.writer === this) this.#again(item);
    }
    if (this.#pending === 0) this.#wake();
  }

  #again(item: NumberedItem): void {
    if (item.kind === "put") {
      this.#lastNumber = item.n;
      this.willPut(item.draft.id, item);
      return;
    }
    this.#lastNumber = item.entry.n;
    if (item.entry.kind === "removal") this.willRemove(item.entry.ids);
  }

  /** Resolves when nothing is on its way. */
  settled(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #wake(): void {
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
