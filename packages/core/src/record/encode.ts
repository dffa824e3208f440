import type { Delta } from "../delta.js";
import type { Snapshot } from "../snapshot.js";
import { DELTA, KEYFRAME, type Structure } from "./format.js";
import { RecordPlan } from "./plan.js";
import { RecordWriter } from "./writer.js";

/**
 * The record of a whole state, as a lazy sequence of chunks of at most 1 MiB (usually 64 KiB). Nothing is encoded before its
 * chunk is asked for, and only one chunk is alive at a time; take all of them, in one go or with pauses in between.
 */
export function* encodeKeyframe(state: Snapshot): Generator<Uint8Array, void, undefined> {
  const plan = new RecordPlan();
  yield* encode(KEYFRAME, plan.node(state.root), plan, new RecordWriter(state.weight, true));
}

/** The record of a delta, in the same form. */
export function* encodeDelta(delta: Delta): Generator<Uint8Array, void, undefined> {
  const plan = new RecordPlan();
  const structure = delta.change === undefined ? null : plan.change(delta.change);
  yield* encode(DELTA, structure, plan, new RecordWriter(delta.weight, delta.isOfLarge));
}

function* encode(
  kind: number,
  structure: Structure,
  plan: RecordPlan,
  writer: RecordWriter,
): Generator<Uint8Array, void, undefined> {
  yield* writer.start(kind, JSON.stringify(structure), plan.pieces.length);
  for (const piece of plan.pieces) {
    if (!writer.fits(piece)) yield* writer.outgrown(piece);
  }
  yield* writer.finish();
}
