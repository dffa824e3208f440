/**
 * Whether the entries of a batch fit into the header of one commit. Asked inside the call: what does not fit is refused before anything is
 * written, and fails nobody else's commit.
 */
import type { Json } from "@ckpt/core";
import { headerTooLong, MAX_COMMIT_HEADER_BYTES } from "./commit-record.js";
import type { AcceptedItem, PutItem } from "./pending-commit.js";
import { type PlannedAgent, planPut } from "./put-plan.js";
import { shortestMetadata } from "./short-entry.js";

/** No UTF-16 unit takes more bytes in JSON: that many are a control character, and half of a surrogate pair. */
const MOST_BYTES_PER_UNIT = 6;
const MOST_BYTES_OF_NUMBER = 25;
/** What an entry takes at most besides its texts, metadata and event: numbers, hash, brackets. */
const FIXED_BYTES = 192;

/** The estimate takes the shortest parts, a number of one digit and its comma, for at most so many times what they are. */
const MOST_OVERRATED = 13;

/**
 * Throws `CKPT_LIMIT`. Small batches are let through by an estimate that only looks at lengths. Returns whether the batch fits only where its
 * puts are on nothing that comes before it.
 */
export function checkHeaderBytes(items: readonly AcceptedItem[], maxChainDeltas: number): boolean {
  const most = sum(items, mostBytes);
  if (most <= MAX_COMMIT_HEADER_BYTES) return false;
  // Such a text may be longer than any string can be.
  const longest = items.reduce((longest, item) => Math.max(longest, mostBytes(item)), 0);
  const least = Math.floor(longest / MOST_OVERRATED);
  if (least > MAX_COMMIT_HEADER_BYTES) throw headerTooLong(least);
  if (sum(items, (item) => exactBytes(item)) <= MAX_COMMIT_HEADER_BYTES) return false;
  // Of many puts with much the same metadata most are written as what changed.
  const plan = new DryPlan(maxChainDeltas);
  const bytes = sum(items, (item) => exactBytes(item, plan));
  if (bytes > MAX_COMMIT_HEADER_BYTES) throw headerTooLong(bytes);
  return true;
}

function sum(items: readonly AcceptedItem[], bytesOf: (item: AcceptedItem) => number): number {
  let bytes = 0;
  for (const item of items) bytes += bytesOf(item);
  return bytes;
}

function mostBytes(item: AcceptedItem): number {
  const units = MOST_BYTES_PER_UNIT;
  if (item.kind === "put") {
    const { agentId, id, name, timestamp, parentId, metadata } = item.draft;
    const texts = agentId.length + id.length + name.length + timestamp.length + (parentId?.length ?? 0);
    return FIXED_BYTES + units * texts + mostOf(metadata);
  }
  const { fact, writer } = item;
  const bytes = FIXED_BYTES + units * writer.agentId.length;
  return bytes + (fact.kind === "removal" ? mostOf(fact.ids) + mostOf(fact.reason) : mostOf(fact.event));
}

function mostOf(value: Json): number {
  if (typeof value === "string") return MOST_BYTES_PER_UNIT * value.length + 2;
  if (typeof value !== "object" || value === null) return MOST_BYTES_OF_NUMBER;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const child of value as readonly Json[]) bytes += mostOf(child) + 1;
    return bytes;
  }
  const object = value as { readonly [key: string]: Json };
  for (const key in object) bytes += MOST_BYTES_PER_UNIT * key.length + 4 + mostOf(object[key]!);
  return bytes;
}

/** The entry with its metadata whole, or as `plan` writes it. */
function exactBytes(item: AcceptedItem, plan?: DryPlan): number {
  if (item.kind === "fact") return FIXED_BYTES + jsonBytes([item.writer.agentId, item.fact]);
  const { agentId, id, name, timestamp, parentId, metadata } = item.draft;
  return (
    FIXED_BYTES + jsonBytes([agentId, id, name, timestamp, parentId, plan?.metadataOf(item) ?? metadata])
  );
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** How the batch would be stored in a fresh segment, where nothing comes before it. Changes nothing. */
class DryPlan {
  readonly #maxChainDeltas: number;
  readonly #agents = new Map<unknown, PlannedAgent>();

  constructor(maxChainDeltas: number) {
    this.#maxChainDeltas = maxChainDeltas;
  }

  metadataOf(item: PutItem): unknown {
    const { agentId, epoch } = item.writer;
    const writer = this.#agents.get(item.writer) ?? { agentId, epoch, base: undefined };
    this.#agents.set(item.writer, writer);
    const { draft, snapshot, n } = item;
    const { entry, metadata } = planPut({ writer, draft, snapshot, n }, 0, this.#maxChainDeltas);
    return shortestMetadata(entry, metadata);
  }
}
