import type { StoreEvent } from "@ckpt/core";
import { acknowledgedBy, type Ledger, type LedgerEntry } from "./ledger.js";

/** A checkpoint as it was put, and what is known of its fate. */
export interface ExpectedCheckpoint {
  readonly id: string;
  /** Sequence and hash as they may be found: the acknowledged ones, or any that were tried, when an id was tried again with another state. */
  versions: { readonly sequence: number; readonly hash: string }[];
  /** What its header may say besides: as any of the puts said it, because a put again changes nothing of what is there. */
  readonly headers: Set<string>;
  /** How many commits put it. */
  tries: number;
  acknowledged: boolean;
  removal: "none" | "tried" | "acknowledged";
}

/** The values that a fact may have after a crash: the last acknowledged one, or any that was tried after it. */
export class Candidates<T> {
  #values: ReadonlySet<T>;

  constructor(initial: T) {
    this.#values = new Set([initial]);
  }

  get values(): ReadonlySet<T> {
    return this.#values;
  }

  /** An operation that turns any value into another. */
  apply(change: (value: T) => T, acknowledged: boolean): void {
    const changed = [...this.#values].map(change);
    this.#values = new Set(acknowledged ? changed : [...this.#values, ...changed]);
  }
}

/** What may be found of one agent. */
export class ExpectedAgent {
  readonly checkpoints = new Map<string, ExpectedCheckpoint>();
  /** Ids that were put together by a commit that was not acknowledged: all of them are there, or none. */
  readonly openBatches: string[][] = [];
  readonly head = new Candidates<string | null>(null);
  readonly guards = new Map<string, Candidates<boolean>>();
  readonly pins = new Map<string, Candidates<boolean>>();
  /** Topic → bodies as JSON; undefined for "no note". */
  readonly notes = new Map<string, Candidates<string | undefined>>();
  /** Something of the agent must be there. A removal alone leaves nothing. */
  acknowledged = false;
  /** The highest sequence of an acknowledged put, and of any put. */
  readonly lastSequence = { least: 0, most: 0 };

  add(entry: LedgerEntry, acknowledged: boolean): void {
    this.acknowledged ||= acknowledged && entry.op !== "remove";
    if (entry.op === "put") this.#put(entry, acknowledged);
    else if (entry.op === "remove") this.#remove(entry.ids, acknowledged);
    else this.#event(entry.event, acknowledged);
  }

  #put(put: Extract<LedgerEntry, { op: "put" }>, acknowledged: boolean): void {
    const { id, sequence, hash, header } = put;
    const version = { sequence, hash };
    const { lastSequence } = this;
    lastSequence.most = Math.max(lastSequence.most, sequence);
    if (acknowledged) lastSequence.least = Math.max(lastSequence.least, sequence);
    const known = this.checkpoints.get(id);
    if (known === undefined) {
      const headers = new Set([header]);
      this.checkpoints.set(id, { id, versions: [version], headers, tries: 1, acknowledged, removal: "none" });
      this.head.apply(() => id, acknowledged);
      return;
    }
    known.tries++;
    known.headers.add(header);
    if (acknowledged) {
      known.versions = [version];
      known.acknowledged = true;
      known.removal = "none";
    } else if (!known.acknowledged) known.versions.push(version);
    // A put again may have found the checkpoint there, and then moves no head.
    this.head.apply(() => id, false);
  }

  #remove(ids: readonly string[], acknowledged: boolean): void {
    const gone = new Set(ids);
    for (const id of gone) {
      const known = this.checkpoints.get(id);
      if (known !== undefined && known.removal !== "acknowledged")
        known.removal = acknowledged ? "acknowledged" : "tried";
      this.pins.get(id)?.apply(() => false, acknowledged);
    }
    this.head.apply((head) => (head !== null && gone.has(head) ? null : head), acknowledged);
  }

  #event(event: StoreEvent, acknowledged: boolean): void {
    switch (event.kind) {
      case "head":
        this.head.apply(() => event.checkpointId, acknowledged);
        break;
      case "guard-begun":
      case "guard-done": {
        const begun = event.kind === "guard-begun";
        candidate(this.guards, event.guardId, false).apply(() => begun, acknowledged);
        break;
      }
      case "pinned":
      case "unpinned": {
        const pinned = event.kind === "pinned";
        candidate(this.pins, event.checkpointId, false).apply(() => pinned, acknowledged);
        break;
      }
      case "note": {
        const body = JSON.stringify(event.body);
        candidate<string | undefined>(this.notes, event.topic, undefined).apply(() => body, acknowledged);
      }
    }
  }
}

function candidate<T>(map: Map<string, Candidates<T>>, key: string, initial: T): Candidates<T> {
  const known = map.get(key) ?? new Candidates<T>(initial);
  map.set(key, known);
  return known;
}

/** What may be found of every agent in the ledger, had the power been cut at `moment`. */
export function expectationsAt(ledger: Ledger, moment: number): Map<string, ExpectedAgent> {
  const agents = new Map<string, ExpectedAgent>();
  for (const trial of ledger.trials) {
    if (trial.triedAt > moment) continue;
    const acknowledged = acknowledgedBy(trial, moment);
    const putIds = new Map<string, string[]>();
    for (const entry of trial.entries) {
      const agent = agents.get(entry.agentId) ?? new ExpectedAgent();
      agents.set(entry.agentId, agent);
      agent.add(entry, acknowledged);
      if (entry.op === "put") putIds.set(entry.agentId, [...(putIds.get(entry.agentId) ?? []), entry.id]);
    }
    if (acknowledged) continue;
    for (const [agentId, ids] of putIds) agents.get(agentId)!.openBatches.push(ids);
  }
  return agents;
}
