/**
 * From the entries of a commit to items with fixed numbers: everything that can be refused is refused here, before anything
 * changes. One synchronous pass inside the call.
 */
import {
  type CheckpointDraft,
  captureMetadata,
  freezeJson,
  type Snapshot,
  type StoreEntry,
  type StoreEvent,
  validateAgentId,
  validateCheckpointId,
  validateName,
} from "@ckpt/core";
import type { AgentWriter, PendingPut } from "./agent-writer.js";
import type { PutEntry } from "./entry.js";
import { decodeEvent } from "./event-decode.js";
import { checkHeaderBytes } from "./header-bytes.js";
import { noPlace } from "./no-place.js";
import type { Limits } from "./options.js";
import { type AcceptedItem, type CommitItem, PendingCommit, type PutItem } from "./pending-commit.js";
import { conflict, invalid, overLimit } from "./refusals.js";

/** A put of the batch: to be written, on its way already, or stored. */
export type PutOutcome = PendingPut | PutEntry;

export interface CheckedBatch {
  /** Undefined when there is nothing to write. */
  readonly commit: PendingCommit | undefined;
  /** The puts, in order. */
  readonly puts: readonly PutOutcome[];
}

/** What a batch is checked against. */
export interface BatchLimits extends Limits {
  /** Whether a stored put is known to be on the disk. */
  isTrusted(put: PutEntry): boolean;
}

/** What the entries before have done to an agent, as far as later entries of the batch must know. */
interface Ahead {
  lastSequence: number;
  readonly put: Map<string, PutItem>;
  readonly removed: Set<string>;
}

/** Longest text kept for a removal's reason, in UTF-16 units. */
const MAX_REASON = 1000;
const MAX_TIMESTAMP = 64;

export class BatchCheck {
  readonly #writerOf: (agentId: string) => AgentWriter;
  readonly #limits: BatchLimits;
  /** By agent; only what a later entry of the batch may ask for. */
  #ahead: Map<string, Ahead> | undefined;
  /** Takes effect once every entry has been found acceptable. */
  readonly #accepted: AcceptedItem[] = [];
  readonly #puts: PutOutcome[] = [];

  constructor(writerOf: (agentId: string) => AgentWriter, limits: BatchLimits) {
    this.#writerOf = writerOf;
    this.#limits = limits;
  }

  /** Throws, having changed nothing, or gives out numbers. */
  check(entries: readonly StoreEntry[]): CheckedBatch {
    if (!Array.isArray(entries)) throw invalid("entries", "A commit takes an array of entries.");
    const most = this.#limits.maxEntriesPerCommit;
    if (entries.length > most) throw overLimit("entries in one commit", entries.length, most);
    if (entries.length > 1) this.#ahead = new Map();
    for (const entry of entries) this.#accept(entry);
    const beginsChains = checkHeaderBytes(this.#accepted, this.#limits.maxChainDeltas);
    const commit =
      this.#accepted.length === 0 ? undefined : new PendingCommit(this.#accepted.map(giveNumber));
    if (commit !== undefined) {
      commit.beginsChains = beginsChains;
      const earlier = this.#puts.flatMap((put) => ("commit" in put ? [put.commit] : []));
      commit.follows = earlier.filter((other) => other !== commit);
    }
    return { commit, puts: this.#puts };
  }

  #accept(entry: StoreEntry): void {
    switch (entry?.op) {
      case "put":
        this.#put(entry.header, entry.snapshot);
        return;
      case "remove":
        this.#remove(entry.agentId, entry.ids, entry.reason);
        return;
      case "event":
        this.#event(entry.agentId, entry.event);
        return;
      default:
        throw invalid("entries", "An entry is a put, a remove or an event.");
    }
  }

  #put(header: CheckpointDraft, snapshot: Snapshot): void {
    const draft = checkDraft(header);
    const { agentId, id, sequence } = draft;
    const writer = this.#writerOf(agentId);
    const most = this.#limits.maxStateBytes;
    if (snapshot.weight > most) throw overLimit("bytes of state", snapshot.weight, most);
    const ahead = this.#aheadOf(writer);
    const lastSequence = ahead?.lastSequence ?? writer.lastSequence;
    const known = this.#known(writer, ahead, id);
    if (known !== undefined) {
      const [knownSequence, knownHash] =
        "snapshot" in known
          ? [known.sequence, known.snapshot.hash]
          : [known.header.sequence, known.header.stateHash];
      if (knownSequence !== sequence || knownHash !== snapshot.hash) {
        throw conflict(`The id ${JSON.stringify(id)} is taken by another state or sequence.`, draft);
      }
      // A retry changes nothing, unless what is stored may not be on the disk: then it is written once more.
      if ("snapshot" in known || this.#limits.isTrusted(known)) {
        this.#puts.push(known);
        return;
      }
    } else if (sequence <= lastSequence) {
      throw conflict(`Sequence ${sequence} is not above ${lastSequence}, the agent's last.`, draft);
    }
    const item = {
      kind: "put" as const,
      writer,
      n: 0,
      sequence,
      draft,
      snapshot,
      header: undefined,
      commit: undefined,
    };
    if (ahead !== undefined) {
      ahead.lastSequence = Math.max(lastSequence, sequence);
      ahead.removed.delete(id);
      ahead.put.set(id, item);
    }
    this.#puts.push(item);
    this.#accepted.push(item);
  }

  #known(writer: AgentWriter, ahead: Ahead | undefined, id: string): PutOutcome | undefined {
    const item = ahead?.put.get(id);
    if (item !== undefined || ahead?.removed.has(id)) return item;
    const found = writer.find(id);
    return found === undefined ? undefined : "pending" in found ? found.pending : found.stored;
  }

  #remove(agentId: string, wanted: readonly string[], reason: string): void {
    const writer = this.#writerOf(validateAgentId(agentId));
    if (!Array.isArray(wanted)) throw invalid("ids", "A removal takes an array of ids.");
    const ahead = this.#aheadOf(writer);
    const ids = [...new Set(wanted.map((id) => validateCheckpointId(id)))].filter(
      (id) => this.#known(writer, ahead, id) !== undefined,
    );
    if (ids.length === 0) return;
    for (const id of ids) {
      ahead?.put.delete(id);
      ahead?.removed.add(id);
    }
    const why = typeof reason === "string" ? reason.slice(0, MAX_REASON) : "";
    this.#accepted.push({ kind: "fact", writer, fact: { kind: "removal", ids, reason: why } });
  }

  #event(agentId: string, raw: StoreEvent): void {
    const writer = this.#writerOf(validateAgentId(agentId));
    const event = decodeEvent(freezeJson(raw, "event"));
    if (event === undefined) throw invalid("event", "The event is none that the store port names.");
    this.#accepted.push({ kind: "fact", writer, fact: { kind: "event", event } });
  }

  #aheadOf(writer: AgentWriter): Ahead | undefined {
    // One entry has none before it.
    if (this.#ahead === undefined) return undefined;
    let ahead = this.#ahead.get(writer.agentId);
    if (ahead === undefined) {
      ahead = { lastSequence: writer.lastSequence, put: new Map(), removed: new Set() };
      this.#ahead.set(writer.agentId, ahead);
    }
    return ahead;
  }
}

/** Gives the item the agent's next number; from here on the writer counts with it. */
function giveNumber(item: AcceptedItem): CommitItem {
  const { writer } = item;
  const n = writer.nextNumber();
  if (item.kind === "put") {
    item.n = n;
    writer.willPut(item.draft.id, item);
    return item;
  }
  if (item.fact.kind === "removal") writer.willRemove(item.fact.ids);
  const { agentId, epoch } = writer;
  return { kind: "fact", writer, entry: { agentId, epoch, n, ...noPlace(), ...item.fact } };
}

/** The draft with its own fields only, checked and frozen. */
function checkDraft(header: CheckpointDraft): CheckpointDraft {
  const { sequence, timestamp, parentId, schemaVersion } = header;
  if (!Number.isSafeInteger(sequence) || sequence < 1)
    throw invalid("sequence", "A sequence is a whole number from 1 on.");
  if (typeof timestamp !== "string" || timestamp === "" || timestamp.length > MAX_TIMESTAMP) {
    throw invalid("timestamp", "A timestamp is a text of at most 64 characters.");
  }
  if (schemaVersion !== null && !Number.isFinite(schemaVersion)) {
    throw invalid("schemaVersion", "A schema version is a number or null.");
  }
  return {
    id: validateCheckpointId(header.id),
    agentId: validateAgentId(header.agentId),
    sequence,
    name: validateName(header.name),
    timestamp,
    parentId: parentId === null ? null : validateCheckpointId(parentId),
    metadata: captureMetadata(header.metadata),
    schemaVersion,
  };
}
