import type { CheckpointHeader, StoreEvent } from "@ckpt/core";
import type { SegmentName } from "./layout.js";

/** What orders everything that happened to an agent: (epoch, number), number strictly rising. */
export interface EntryKey {
  readonly agentId: string;
  readonly epoch: number;
  readonly n: number;
}

/** Where a record stands. Filled in when the record is durable; fixed from then on. */
export interface RecordPlace {
  /** The segment that holds it. */
  segment: SegmentName;
  /** Offset of the record in the segment. */
  offset: number;
  /** Length in the segment, frame headers included. */
  length: number;
}

/** A checkpoint in the log. Holds its base by reference, so a chain lives exactly as long as something needs it. */
export interface PutEntry extends EntryKey, RecordPlace {
  readonly kind: "put";
  header: CheckpointHeader;
  /** The put that the delta is on; null for a keyframe. */
  readonly base: PutEntry | null;
  /** Offset and length of the state record within the record's body. */
  sectionOffset: number;
  sectionBytes: number;
}

export interface RemovalEntry extends EntryKey, RecordPlace {
  readonly kind: "removal";
  readonly ids: readonly string[];
  readonly reason: string;
}

export interface EventEntry extends EntryKey, RecordPlace {
  readonly kind: "event";
  readonly event: StoreEvent;
}

/**
 * Written by compaction: the agent has had this sequence, and compaction has seen the numbers in `seen` (first to last,
 * inclusive): what of them is not there any more was removed.
 */
export interface SequenceMark extends EntryKey, RecordPlace {
  readonly kind: "sequence";
  readonly lastSequence: number;
  readonly seen: readonly (readonly [number, number])[];
}

/** Written by compaction: here the head moved to a checkpoint that is gone. */
interface GoneMark extends EntryKey, RecordPlace {
  readonly kind: "gone";
}

export type StoredEntry = PutEntry | RemovalEntry | EventEntry | SequenceMark | GoneMark;

/** Order of two entries of one agent. */
export function compareKeys(a: EntryKey, b: EntryKey): number {
  return a.epoch - b.epoch || a.n - b.n;
}
