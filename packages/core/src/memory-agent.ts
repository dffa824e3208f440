import type { CheckpointHeader, Json } from "./checkpoint-header.js";
import { type KeptState, StateKeeper } from "./kept-states.js";
import type { Snapshot } from "./snapshot.js";
import type { AgentState, HeaderQuery, StoreEvent } from "./store.js";

/** A checkpoint in memory. */
export interface MemoryRecord {
  readonly header: CheckpointHeader;
  readonly state: KeptState;
}

/** One agent's history in memory: records by sequence and by id, and the facts beside them. */
export class MemoryAgent {
  readonly agentId: string;
  readonly #byId = new Map<string, MemoryRecord>();
  readonly #guards = new Map<string, AgentState["openGuards"][number]>();
  readonly #pins = new Set<string>();
  readonly #states = new StateKeeper();
  readonly #notes = new Map<string, Json>();
  /** Sorted by sequence, because puts only ever go to the end. */
  #records: MemoryRecord[] = [];
  #lastSequence = 0;
  #headId: string | null = null;

  constructor(agentId: string) {
    this.agentId = agentId;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get(id: string): MemoryRecord | undefined {
    return this.#byId.get(id);
  }

  put(header: CheckpointHeader, snapshot: Snapshot): void {
    const record = { header, state: this.#states.keep(snapshot) };
    this.#records.push(record);
    this.#byId.set(header.id, record);
    this.#lastSequence = header.sequence;
    this.#headId = header.id;
  }

  remove(ids: readonly string[]): void {
    const gone = new Set(ids.filter((id) => this.#byId.delete(id)));
    if (gone.size === 0) return;
    this.#records = this.#records.filter(({ header }) => !gone.has(header.id));
    for (const id of gone) this.#pins.delete(id);
    if (this.#headId !== null && gone.has(this.#headId)) this.#headId = null;
  }

  /** Records a fact. One about a checkpoint that is not there says nothing. */
  record(event: StoreEvent): void {
    switch (event.kind) {
      case "head":
        if (this.#byId.has(event.checkpointId)) this.#headId = event.checkpointId;
        return;
      case "guard-begun": {
        const { guardId, operation, checkpointId } = event;
        this.#guards.set(guardId, Object.freeze({ guardId, operation, checkpointId }));
        return;
      }
      case "guard-done":
        this.#guards.delete(event.guardId);
        return;
      case "pinned":
        if (this.#byId.has(event.checkpointId)) this.#pins.add(event.checkpointId);
        return;
      case "unpinned":
        this.#pins.delete(event.checkpointId);
        return;
      case "note":
        this.#notes.set(event.topic, event.body);
    }
  }

  list(query: HeaderQuery): CheckpointHeader[] {
    const { name, afterSequence, beforeSequence, reverse = false, limit = Number.POSITIVE_INFINITY } = query;
    const from = afterSequence === undefined ? 0 : this.#firstFrom(afterSequence + 1);
    const to = beforeSequence === undefined ? this.#records.length : this.#firstFrom(beforeSequence);
    const found: CheckpointHeader[] = [];
    for (let step = 0; step < to - from && found.length < limit; step++) {
      const { header } = this.#records[reverse ? to - 1 - step : from + step]!;
      if (name === undefined || header.name === name) found.push(header);
    }
    return found;
  }

  state(): AgentState {
    return {
      agentId: this.agentId,
      count: this.#records.length,
      lastSequence: this.#lastSequence,
      headId: this.#headId,
      openGuards: [...this.#guards.values()],
      pinnedIds: [...this.#pins],
      notes: Object.fromEntries(this.#notes),
    };
  }

  /** Index of the first record whose sequence is at least `sequence`. */
  #firstFrom(sequence: number): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#records[middle]!.header.sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
