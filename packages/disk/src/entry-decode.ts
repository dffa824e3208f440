/**
 * Reads entries of one segment, in the order of the file. What it reads is hostile input: every field is checked, and
 * an entry that is not exactly as the format says makes the decoder throw {@link BadEntry}.
 */
import type { CheckpointHeader, StoreEvent } from "@ckpt/core";
import { expandId } from "./compact-id.js";
import type { PutEntry, RecordPlace, StoredEntry } from "./entry.js";
import { decodeEvent } from "./event-decode.js";
import { applyMetadata, freezeParsed, type Metadata } from "./metadata-patch.js";

/** An entry that the format does not allow; the record that holds it counts as damaged. */
class BadEntry extends Error {}

/** Where an entry's record is, and how many bytes of sections are left for its puts. */
export interface DecodePlace extends RecordPlace {
  sectionOffset: number;
}

/** A put whose base is not in the segment: its state cannot be restored, and its metadata may be incomplete. */
export type OnOrphan = (entry: PutEntry, missingBase: number) => void;

interface KnownAgent {
  readonly agentId: string;
  readonly puts: Map<number, PutEntry>;
  lastPut: PutEntry | undefined;
}

const MAX_ID_CHARS = 1024;
const MAX_INTERNED = 4096;

export class EntryDecoder {
  readonly #agents = new Map<string, KnownAgent>();
  readonly #names = new Map<string, string>();
  readonly #onOrphan: OnOrphan;

  constructor(onOrphan: OnOrphan) {
    this.#onOrphan = onOrphan;
  }

  /** One entry; puts advance `place.sectionOffset` by their section. */
  decode(raw: unknown, place: DecodePlace): StoredEntry {
    if (!Array.isArray(raw)) throw new BadEntry("an entry is not an array");
    const agent = this.#agent(text(raw[1], "agent id"));
    const key = { agentId: agent.agentId, epoch: natural(raw[2], "epoch"), n: positive(raw[3], "number") };
    const { segment, offset, length } = place;
    switch (raw[0]) {
      case "p":
        return this.#put(raw, agent, key.epoch, key.n, place);
      case "r":
        return { kind: "removal", ...key, segment, offset, length, ...removal(raw, agent.agentId) };
      case "e":
        return { kind: "event", ...key, segment, offset, length, event: event(raw[4]) };
      case "s":
        return { kind: "sequence", ...key, segment, offset, length, ...mark(raw) };
      case "g":
        return { kind: "gone", ...key, segment, offset, length };
      default:
        throw new BadEntry(`an entry of unknown kind ${String(raw[0]).slice(0, 20)}`);
    }
  }

  #put(raw: readonly unknown[], agent: KnownAgent, epoch: number, n: number, place: DecodePlace): PutEntry {
    const sectionBytes = natural(raw[5], "section length");
    const { agentId } = agent;
    const baseNumber = natural(raw[6], "base");
    const base = baseNumber === 0 ? null : agent.puts.get(baseNumber);
    const { segment, offset, length, sectionOffset } = place;
    place.sectionOffset += sectionBytes;
    const entry: PutEntry = {
      kind: "put",
      agentId,
      epoch,
      n,
      header: this.#header(raw, agent, epoch, base),
      base: base ?? null,
      segment,
      offset,
      length,
      sectionOffset,
      sectionBytes,
    };
    if (base === undefined) this.#onOrphan(entry, baseNumber);
    agent.puts.set(n, entry);
    agent.lastPut = entry;
    return entry;
  }

  #header(
    raw: readonly unknown[],
    agent: KnownAgent,
    epoch: number,
    base: PutEntry | null | undefined,
  ): CheckpointHeader {
    const { agentId, lastPut } = agent;
    const sequence = positive(raw[4], "sequence");
    const id = raw[14] === undefined ? `${agentId}:${sequence}` : expandId(agentId, raw[14]);
    // The parent is mostly the put before: its id is in memory already.
    const parentId =
      lastPut !== undefined &&
      raw[11] === lastPut.header.sequence &&
      raw[11] === sequence - 1 &&
      lastPut.header.id === `${agentId}:${raw[11]}`
        ? lastPut.header.id
        : expandId(agentId, raw[11]);
    if (typeof id !== "string" || parentId === undefined) throw new BadEntry("an id is not one");
    return {
      id,
      agentId,
      sequence,
      name: this.#intern(text(raw[9], "name")),
      timestamp: text(raw[10], "timestamp"),
      parentId,
      stateHash: hash(raw[7]),
      stateBytes: natural(raw[8], "state size"),
      metadata: metadata(raw[12], base),
      schemaVersion: raw[13] === undefined || raw[13] === null ? null : finite(raw[13]),
      epoch,
    };
  }

  #agent(agentId: string): KnownAgent {
    let agent = this.#agents.get(agentId);
    if (agent === undefined) {
      agent = { agentId, puts: new Map(), lastPut: undefined };
      this.#agents.set(agentId, agent);
    }
    return agent;
  }

  #intern(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size < MAX_INTERNED) this.#names.set(name, name);
    return name;
  }
}

function metadata(raw: unknown, base: PutEntry | null | undefined): Metadata {
  if (base === null) {
    if (typeof raw !== "object" || raw === null || Array.isArray(raw))
      throw new BadEntry("metadata is not an object");
    return freezeParsed(raw as Metadata);
  }
  const applied = applyMetadata(base === undefined ? {} : base.header.metadata, raw);
  // Without the base only a whole value can be known; the state is lost with it anyway.
  if (applied === undefined && base !== undefined) throw new BadEntry("metadata does not fit its base");
  return applied ?? {};
}

function removal(raw: readonly unknown[], agentId: string): { ids: string[]; reason: string } {
  if (!Array.isArray(raw[4])) throw new BadEntry("a removal has no ids");
  const ids = raw[4].map((value: unknown) => {
    const id = expandId(agentId, value);
    if (typeof id !== "string") throw new BadEntry("a removed id is not one");
    return id;
  });
  return { ids, reason: typeof raw[5] === "string" ? raw[5] : "" };
}

function mark(raw: readonly unknown[]): { lastSequence: number; seen: (readonly [number, number])[] } {
  if (!Array.isArray(raw[5])) throw new BadEntry("a mark has no ranges");
  const seen = raw[5].map((range: unknown) => {
    if (!Array.isArray(range)) throw new BadEntry("a range is not an array");
    return [positive(range[0], "range"), positive(range[1], "range")] as const;
  });
  return { lastSequence: natural(raw[4], "sequence"), seen };
}

function event(raw: unknown): StoreEvent {
  const decoded = decodeEvent(raw);
  if (decoded === undefined) throw new BadEntry("an event is not one");
  return decoded;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_ID_CHARS)
    throw new BadEntry(`${what} is not a text`);
  return value;
}

function natural(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new BadEntry(`${what} is not a number`);
  return value as number;
}

function positive(value: unknown, what: string): number {
  if (natural(value, what) === 0) throw new BadEntry(`${what} is zero`);
  return value as number;
}

function finite(value: unknown): number {
  if (typeof value !== "number") throw new BadEntry("schema version is not a number");
  return value;
}

const hashBytes = Buffer.alloc(32);

function hash(value: unknown): string {
  const length =
    typeof value === "string" && value.length === 43 ? hashBytes.write(value, "base64url") : undefined;
  if (length !== 32) throw new BadEntry("a state hash is not one");
  return hashBytes.toString("hex");
}
