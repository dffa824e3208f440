import {
  type AgentState,
  type CheckpointHeader,
  diff,
  type HeaderQuery,
  type Json,
  type Snapshot,
  type StoreEntry,
  type StoreEvent,
} from "@ckpt/core";
import { applyEntries } from "./agent-facts.js";
import { agentsOf } from "./agent-order.js";
import { applyQuery } from "./header-query.js";

/** A batch that is in memory only. */
export interface PendingCommit {
  readonly entries: readonly StoreEntry[];
  readonly agentIds: readonly string[];
  /** Full headers of its puts, in order. */
  readonly headers: readonly CheckpointHeader[];
  /** What each entry adds to memory, in bytes: for a state, what it does not share with the one waiting before it. */
  readonly sizes: number[];
  /** The batch that this one is what is left of, where an agent's part was given up. */
  readonly partOf?: PendingCommit;
}

/** Room that a header, an event or a removal is counted with, beside the metadata or body in it. */
const ENTRY_BYTES = 512;
/** Room that an id in a removal is counted with. */
const ID_BYTES = 64;

/** The batches that wait for a place, oldest first, and what reads must see because of them. */
export class PendingCommits {
  #queue: PendingCommit[] = [];
  #bytes = 0;
  readonly #newest = new Map<string, Snapshot>();

  get count(): number {
    return this.#queue.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Ids of the checkpoints that wait, oldest first; of one agent where one is given. */
  idsOf(agentId?: string): string[] {
    const headers = this.#queue.flatMap((commit) => commit.headers);
    return headers
      .filter((header) => agentId === undefined || header.agentId === agentId)
      .map(({ id }) => id);
  }

  /**
   * The oldest batches, at most `limit`, without those of the agents in `held`: what follows a batch that cannot be
   * written has to wait behind it, so its agents are added to `held`.
   */
  first(limit: number, held: Set<string>): PendingCommit[] {
    const batches: PendingCommit[] = [];
    for (const commit of this.#queue) {
      if (batches.length === limit) break;
      if (commit.agentIds.some((id) => held.has(id))) for (const id of commit.agentIds) held.add(id);
      else batches.push(commit);
    }
    return batches;
  }

  /** What each of `entries` would add to memory, in bytes. */
  measure(entries: readonly StoreEntry[]): number[] {
    const newest = new Map<string, Snapshot>();
    return entries.map((entry) => {
      if (entry.op === "remove") return ENTRY_BYTES + entry.ids.length * ID_BYTES;
      if (entry.op !== "put") return ENTRY_BYTES + lengthOf(entry.event);
      const { agentId, metadata } = entry.header;
      const previous = newest.get(agentId) ?? this.#newest.get(agentId);
      newest.set(agentId, entry.snapshot);
      const weight = previous === undefined ? entry.snapshot.weight : diff(previous, entry.snapshot).weight;
      return ENTRY_BYTES + lengthOf(metadata) + weight;
    });
  }

  push(entries: readonly StoreEntry[], headers: readonly CheckpointHeader[], sizes: number[]): void {
    const commit = { entries, headers, sizes, agentIds: agentsOf(entries) };
    this.#queue.push(commit);
    this.#count(commit);
  }

  #count({ entries, sizes }: PendingCommit): void {
    this.#bytes += sum(sizes);
    for (const entry of entries) {
      if (entry.op === "put") this.#newest.set(entry.header.agentId, entry.snapshot);
    }
  }

  /** Forgets batches: they are durable now, or given up. */
  drop(batches: readonly PendingCommit[]): void {
    const written = new Set(batches);
    // One that was given up while it was being written is not there any more, or a part of it is.
    const isGone = (commit: PendingCommit) =>
      written.has(commit) || (commit.partOf !== undefined && written.has(commit.partOf));
    const gone = this.#queue.filter(isGone);
    this.#queue = this.#queue.filter((commit) => !isGone(commit));
    for (const commit of gone) this.#bytes -= sum(commit.sizes);
    this.#weighAnew(new Set(gone.flatMap((commit) => commit.headers.map((header) => header.agentId))));
  }

  /** The state before an agent's first one is gone from here: that one is held alone now, whole. */
  #weighAnew(agentIds: Set<string>): void {
    for (const { entries, sizes } of this.#queue) {
      entries.forEach((entry, i) => {
        if (entry.op !== "put" || !agentIds.delete(entry.header.agentId)) return;
        this.#bytes -= sizes[i]!;
        sizes[i] = ENTRY_BYTES + lengthOf(entry.header.metadata) + entry.snapshot.weight;
        this.#bytes += sizes[i]!;
      });
    }
    for (const id of agentIds) this.#newest.delete(id);
  }

  /** Forgets everything, or what is one agent's: of a batch that it shares with others, their part stays. */
  discard(agentId?: string): void {
    const queue: PendingCommit[] = [];
    for (const commit of this.#queue) {
      const part = agentId === undefined ? undefined : withoutAgent(commit, agentId);
      if (part !== undefined) queue.push(part);
    }
    this.drop(this.#queue);
    this.#queue = queue;
    for (const commit of queue) this.#count(commit);
  }

  concerns(agentId: string): boolean {
    return this.#queue.some((commit) => commit.agentIds.includes(agentId));
  }

  agentIds(): string[] {
    return [...new Set(this.#queue.flatMap((commit) => commit.agentIds))];
  }

  /** How many checkpoints of the agent are put or removed here. */
  touched(agentId: string): number {
    let touched = 0;
    for (const { entries } of this.#queue) {
      for (const entry of entries) {
        if (entry.op === "put" && entry.header.agentId === agentId) touched++;
        else if (entry.op === "remove" && entry.agentId === agentId) touched += entry.ids.length;
      }
    }
    return touched;
  }

  /** Whether checkpoints of the agent are removed here. */
  removesOf(agentId: string): boolean {
    const isRemoval = (entry: StoreEntry) => entry.op === "remove" && entry.agentId === agentId;
    return this.#queue.some(({ entries }) => entries.some(isRemoval));
  }

  /** The agent's facts once everything here is written on top of `below`. */
  overAgent(below: AgentState): AgentState {
    return this.#queue.reduce((state, commit) => applyEntries(state, commit.entries), below);
  }

  /** The agent's headers once everything here is written on top of `below`. */
  overHeaders(agentId: string, below: readonly CheckpointHeader[], query?: HeaderQuery): CheckpointHeader[] {
    const byId = new Map(below.map((header) => [header.id, header]));
    for (const { entries, headers } of this.#queue) {
      for (const header of headers) if (header.agentId === agentId) byId.set(header.id, header);
      for (const entry of entries) {
        if (entry.op === "remove" && entry.agentId === agentId) for (const id of entry.ids) byId.delete(id);
      }
    }
    return applyQuery(byId.values(), query);
  }

  /** A state that is here, whole: the last one under its id. */
  snapshot(agentId: string, id: string): Snapshot | undefined {
    for (const { entries } of [...this.#queue].reverse()) {
      const isIt = (entry: StoreEntry) =>
        entry.op === "put" && entry.header.id === id && entry.header.agentId === agentId;
      const entry = entries.findLast(isIt);
      if (entry?.op === "put") return entry.snapshot;
    }
    return undefined;
  }

  /** What happens to `id` here: it is put, removed, or not touched. The last word counts. */
  fate(agentId: string, id: string): "put" | "removed" | "untouched" {
    let fate: "put" | "removed" | "untouched" = "untouched";
    for (const { entries } of this.#queue) {
      for (const entry of entries) {
        if (entry.op === "put" && entry.header.id === id && entry.header.agentId === agentId) fate = "put";
        else if (entry.op === "remove" && entry.agentId === agentId && entry.ids.includes(id))
          fate = "removed";
      }
    }
    return fate;
  }
}

/** What is left of a batch without one agent's entries: the same batch, a part of it, or nothing. */
function withoutAgent(commit: PendingCommit, agentId: string): PendingCommit | undefined {
  if (!commit.agentIds.includes(agentId)) return commit;
  const stays = commit.entries.map((entry) => agentsOf([entry])[0] !== agentId);
  const entries = commit.entries.filter((_, i) => stays[i]);
  if (entries.length === 0) return undefined;
  return {
    partOf: commit.partOf ?? commit,
    entries,
    agentIds: agentsOf(entries),
    headers: commit.headers.filter((header) => header.agentId !== agentId),
    sizes: commit.sizes.filter((_, i) => stays[i]),
  };
}

const lengthOf = (value: Json | StoreEvent): number => JSON.stringify(value).length;

export const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
