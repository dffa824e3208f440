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

/** A header that waits for its hash. */
type UnhashedHeader = Omit<CheckpointHeader, "stateHash"> & { stateHash: string };

/** The agent of a put, as far as planning goes. */
export interface PlannedAgent {
  readonly agentId: string;
  readonly epoch: number;
  base: DeltaBase | undefined;
}

type Plannable = Pick<PutItem, "n" | "draft" | "snapshot"> & { readonly writer: PlannedAgent };

export interface PutPlan<Item extends Plannable = PutItem> {
  readonly item: Item;
  readonly entry: PutEntry;
  /** The entry's header, until its hash is known and it is frozen. */
  readonly header: UnhashedHeader;
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
export function planPut<Item extends Plannable>(
  item: Item,
  segment: number,
  maxChainDeltas: number,
): PutPlan<Item> {
  const { writer, snapshot } = item;
  const previous = writer.base?.segment === segment ? writer.base : undefined;
  const delta = previous === undefined ? undefined : worthwhileDelta(previous, item, maxChainDeltas);
  const onto = delta === undefined ? undefined : previous;
  const weight = delta?.weight ?? snapshot.weight;
  const { metadata, written } = storedMetadata(item, onto);
  const header = headerOf(item, metadata);
  const entry = putEntry(item, onto?.put ?? null, header);
  const base: DeltaBase = {
    put: entry,
    snapshot,
    segment,
    chainBytes: (onto?.chainBytes ?? 0) + weight,
    deltas: onto === undefined ? 0 : onto.deltas + 1,
  };
  writer.base = base;
  const chunks = () => (delta === undefined ? encodeKeyframe(snapshot) : encodeDelta(delta));
  return { item, entry, header, base, metadata: written, weight, chunks };
}

function worthwhileDelta(
  base: DeltaBase,
  { snapshot }: Plannable,
  maxChainDeltas: number,
): Delta | undefined {
  if (base.deltas >= maxChainDeltas) return undefined;
  const delta = diff(base.snapshot, snapshot);
  if (delta.isEmpty) return delta;
  if (delta.weight >= snapshot.weight) return undefined;
  const most = Math.max(MIN_CHAIN_BYTES, CHAIN_FACTOR * snapshot.weight);
  return base.chainBytes + delta.weight > most ? undefined : delta;
}

/** The metadata as the header has it, sharing what it can with the base's, and as the entry writes it. */
function storedMetadata({ draft }: Plannable, onto: DeltaBase | undefined) {
  if (onto === undefined) return { metadata: draft.metadata, written: draft.metadata };
  const before = onto.put.header.metadata;
  const written = diffMetadata(before, draft.metadata);
  return { metadata: applyMetadata(before, written) ?? draft.metadata, written };
}

/** The header without its hash, which is a by-product of encoding the state. */
function headerOf(
  { writer, draft, snapshot }: Plannable,
  metadata: CheckpointHeader["metadata"],
): UnhashedHeader {
  return {
    id: draft.id,
    agentId: draft.agentId,
    sequence: draft.sequence,
    name: draft.name,
    timestamp: draft.timestamp,
    parentId: draft.parentId,
    stateHash: "",
    stateBytes: snapshot.weight,
    metadata,
    schemaVersion: draft.schemaVersion,
    epoch: writer.epoch,
  };
}

function putEntry({ writer, n }: Plannable, base: PutEntry | null, header: CheckpointHeader): PutEntry {
  const { agentId, epoch } = writer;
  const { segment, offset, length } = noPlace();
  return {
    kind: "put",
    agentId,
    epoch,
    n,
    header,
    base,
    segment,
    offset,
    length,
    sectionOffset: 0,
    sectionBytes: 0,
  };
}
