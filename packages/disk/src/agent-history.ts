import type { AgentState, CheckpointHeader, HeaderQuery, Json, StoreEvent } from "@ckpt/core";
import { canonicalNumber } from "./compact-id.js";
import type { EventEntry, PutEntry, StoredEntry } from "./entry.js";

/**
 * What one agent's entries amount to: its visible checkpoints in order, and the facts beside them. Entries are applied in the
 * order of (epoch, number).
 */
export class AgentHistory {
  readonly agentId: string;
  /** Key of the last entry applied; the next entry of the log has the number after it. */
  epoch = 0;
  lastNumber = 0;
  lastSequence = 0;
  headId: string | null = null;
  /** Bytes of the records of removed checkpoints, as far as they were applied here. */
  removedBytes = 0;
  /** The entry that last moved the head. */
  headEntry: StoredEntry | undefined;
  /** Visible checkpoints by sequence. */
  #puts: PutEntry[] = [];
  /** Only ids that are not the agent id, a colon and the sequence. */
  readonly #otherIds = new Map<string, PutEntry>();
  readonly #guards = new Map<string, EventEntry>();
  readonly #pins = new Map<string, EventEntry>();
  readonly #notes = new Map<string, EventEntry>();

  constructor(agentId: string) {
    this.agentId = agentId;
  }

  /** Whether nothing was ever written. */
  get isEmpty(): boolean {
    return this.lastNumber === 0;
  }

  get count(): number {
    return this.#puts.length;
  }

  /** The visible checkpoints by sequence; do not keep across an `apply`. */
  get puts(): readonly PutEntry[] {
    return this.#puts;
  }

  /** The events that still say something: open guards, pins, the newest note of each topic. */
  get liveEvents(): readonly EventEntry[] {
    return [...this.#guards.values(), ...this.#pins.values(), ...this.#notes.values()];
  }

  find(id: string): PutEntry | undefined {
    const number = canonicalNumber(this.agentId, id);
    if (number !== undefined) {
      const put = this.#puts[this.#firstFrom(number)];
      if (put?.header.id === id) return put;
    }
    return this.#otherIds.get(id);
  }

  apply(entry: StoredEntry): void {
    this.epoch = Math.max(this.epoch, entry.epoch);
    this.lastNumber = Math.max(this.lastNumber, entry.n);
    switch (entry.kind) {
      case "put":
        this.#put(entry);
        return;
      case "removal":
        this.#remove(entry.ids, entry);
        return;
      case "event":
        this.#event(entry, entry.event);
        return;
      case "sequence":
        this.lastSequence = Math.max(this.lastSequence, entry.lastSequence);
        return;
      case "gone":
        this.headId = null;
        this.headEntry = entry;
    }
  }

  list(query: HeaderQuery): CheckpointHeader[] {
    const { name, afterSequence, beforeSequence, reverse = false, limit = Number.POSITIVE_INFINITY } = query;
    const from = afterSequence === undefined ? 0 : this.#firstFrom(afterSequence + 1);
    const to = beforeSequence === undefined ? this.#puts.length : this.#firstFrom(beforeSequence);
    const found: CheckpointHeader[] = [];
    for (let step = 0; step < to - from && found.length < limit; step++) {
      const { header } = this.#puts[reverse ? to - 1 - step : from + step]!;
      if (name === undefined || header.name === name) found.push(header);
    }
    return found;
  }

  state(): AgentState {
    const guards: AgentState["openGuards"][number][] = [];
    for (const { event } of this.#guards.values()) {
      if (event.kind !== "guard-begun") continue;
      const { guardId, operation, checkpointId } = event;
      guards.push({ guardId, operation, checkpointId });
    }
    const notes = [...this.#notes].map(
      ([topic, { event }]) => [topic, event.kind === "note" ? event.body : null] as const,
    );
    return {
      agentId: this.agentId,
      count: this.count,
      lastSequence: this.lastSequence,
      headId: this.headId,
      openGuards: guards,
      pinnedIds: [...this.#pins.keys()],
      notes: Object.fromEntries<Json>(notes),
    };
  }

  /** A checkpoint moved to another segment (compaction). */
  replace(put: PutEntry): void {
    const at = this.#firstFrom(put.header.sequence);
    const old = this.#puts[at];
    if (old?.header.id !== put.header.id) return;
    this.#puts[at] = put;
    if (this.#otherIds.has(put.header.id)) this.#otherIds.set(put.header.id, put);
    if (this.headEntry === old) this.headEntry = put;
  }

  #put(entry: PutEntry): void {
    const { id, sequence } = entry.header;
    const at = this.#firstFrom(sequence);
    // Sequences rise with numbers; only a log that two writers wrote at once can break that, and then the later one counts.
    const replaces = this.#puts[at]?.header.sequence === sequence ? 1 : 0;
    this.#puts.splice(at, replaces, entry);
    if (canonicalNumber(this.agentId, id) !== sequence) this.#otherIds.set(id, entry);
    this.lastSequence = Math.max(this.lastSequence, sequence);
    this.headId = id;
    this.headEntry = entry;
  }

  #remove(ids: readonly string[], entry: StoredEntry): void {
    const places = this.#placesOf(ids);
    if (places.length === 0) return;
    for (const at of places) {
      const { header, length } = this.#puts[at]!;
      this.removedBytes += length;
      this.#otherIds.delete(header.id);
      this.#pins.delete(header.id);
      if (header.id !== this.headId) continue;
      this.headId = null;
      this.headEntry = entry;
    }
    this.#cut(places);
  }

  /** Where these checkpoints stand, in order, each once; those that are not there are left out. */
  #placesOf(ids: readonly string[]): number[] {
    const places: number[] = [];
    for (const id of ids) {
      const put = this.find(id);
      if (put !== undefined) places.push(this.#firstFrom(put.header.sequence));
    }
    places.sort((a, b) => a - b);
    return places.filter((at, i) => at !== places[i - 1]);
  }

  /** Takes out the checkpoints at these places. What is removed mostly stands together. */
  #cut(places: readonly number[]): void {
    const first = places[0]!;
    if (places[places.length - 1]! - first + 1 === places.length) {
      this.#puts.splice(first, places.length);
      return;
    }
    let to = first;
    let next = 0;
    for (let from = first; from < this.#puts.length; from++) {
      if (places[next] === from) next++;
      else this.#puts[to++] = this.#puts[from]!;
    }
    this.#puts.length = to;
  }

  #event(entry: EventEntry, event: StoreEvent): void {
    switch (event.kind) {
      case "head":
        if (this.find(event.checkpointId) === undefined) return;
        this.headId = event.checkpointId;
        this.headEntry = entry;
        return;
      case "guard-begun":
        this.#guards.set(event.guardId, entry);
        return;
      case "guard-done":
        this.#guards.delete(event.guardId);
        return;
      case "pinned":
        if (this.find(event.checkpointId) !== undefined) this.#pins.set(event.checkpointId, entry);
        return;
      case "unpinned":
        this.#pins.delete(event.checkpointId);
        return;
      case "note":
        this.#notes.set(event.topic, entry);
    }
  }

  /** Index of the first checkpoint whose sequence is at least `sequence`. */
  #firstFrom(sequence: number): number {
    const puts = this.#puts;
    if (puts.length === 0 || puts[puts.length - 1]!.header.sequence < sequence) return puts.length;
    let low = 0;
    let high = puts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (puts[middle]!.header.sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
