/** How a put is stored in the current segment: as a keyframe, or as a delta on the agent's put before it. */
import { type CheckpointHeader, type Delta, diff, encodeDelta, encodeKeyframe } from "@ckpt/core";
import type { DeltaBase } from "./agent-writer.js";
import type { PutEntry } from "./entry.js";
import { applyMetadata, diffMetadata, type MetadataPatch } from "./metadata-patch.js";
import { noPlace } from "./no-place.js";
import type { PutItem } from "./pending-commit.js";

/** A restore may read twice the state; below this many bytes it is one page anyway. */
const MIN_CHAIN_BYTES = 4096;
const CHAIN_FACTOR = 2;

export interface PutPlan {
  readonly item: PutItem;
  readonly entry: PutEntry;
  /** What the next delta of the agent is on. */
  readonly base: DeltaBase;
  /** The metadata as the entry writes it. */
  readonly metadata: MetadataPatch | CheckpointHeader["metadata"];
  /** About how many bytes the state record will have. */
  readonly weight: number;
  /** The state record, encoded as it is asked for. */
  chunks(): Iterable<Uint8Array>;
}

/** Chooses, and makes the plan the base of the agent's next put. The state's hash is filled in once it is encoded. */
export function planPut(item: PutItem, segment: number, maxChainDeltas: number): PutPlan {
  const { writer, snapshot } = item;
  const previous = writer.base?.segment === segment ? writer.base : undefined;
  const delta = previous === undefined ? undefined : worthwhileDelta(previous, item, maxChainDeltas);
  const onto = delta === undefined ? undefined : previous;
  const weight = delta?.weight ?? snapshot.weight;
  const { metadata, written } = storedMetadata(item, onto);
  const entry = putEntry(item, onto?.put ?? null, metadata);
  const base: DeltaBase = {
    put: entry,
    snapshot,
    segment,
    chainBytes: (onto?.chainBytes ?? 0) + weight,
    deltas: onto === undefined ? 0 : onto.deltas + 1,
  };
  writer.base = base;
  const chunks = () => (delta === undefined ? encodeKeyframe(snapshot) : encodeDelta(delta));
  return { item, entry, base, metadata: written, weight, chunks };
}

function worthwhileDelta(base: DeltaBase, { snapshot }: PutItem, maxChainDeltas: number): Delta | undefined {
  if (base.deltas >= maxChainDeltas) return undefined;
  const delta = diff(base.snapshot, snapshot);
  if (delta.isEmpty) return delta;
  if (delta.weight >= snapshot.weight) return undefined;
  const most = Math.max(MIN_CHAIN_BYTES, CHAIN_FACTOR * snapshot.weight);
  return base.chainBytes + delta.weight > most ? undefined : delta;
}

/** The metadata as the header has it, sharing what it can with the base's, and as the entry writes it. */
function storedMetadata({ draft }: PutItem, onto: DeltaBase | undefined) {
  if (onto === undefined) return { metadata: draft.metadata, written: draft.metadata };
  const before = onto.put.header.metadata;
  const written = diffMetadata(before, draft.metadata);
  return { metadata: applyMetadata(before, written) ?? draft.metadata, written };
}

function putEntry(item: PutItem, base: PutEntry | null, metadata: CheckpointHeader["metadata"]): PutEntry {
  const { writer, n, draft, snapshot } = item;
  const { id, agentId, sequence, name, timestamp, parentId, schemaVersion } = draft;
  const header = {
    id,
    agentId,
    sequence,
    name,
    timestamp,
    parentId,
    stateHash: "",
    stateBytes: snapshot.weight,
    metadata,
    schemaVersion,
    epoch: writer.epoch,
  };
  return {
    kind: "put",
    agentId,
    epoch: writer.epoch,
    n,
    header,
    base,
    ...noPlace(),
    sectionOffset: 0,
    sectionBytes: 0,
  };
}
