import type { Delta } from "../delta.js";
import type { Snapshot } from "../snapshot.js";
import { DELTA, HEADER_BYTES, KEYFRAME, RECORD_VERSION, type Structure } from "./format.js";
import { RecordPlan } from "./plan.js";
import { RecordWriter } from "./writer.js";

/**
 * The record of a whole state, as a lazy sequence of chunks of at most 1 MiB (usually 64 KiB). Nothing is encoded before its
 * chunk is asked for, and only one chunk is alive at a time; take all of them, in one go or with pauses in between.
 */
export function* encodeKeyframe(state: Snapshot): Generator<Uint8Array, void, undefined> {
  const plan = new RecordPlan();
  yield* encode(KEYFRAME, plan.node(state.root), plan, state.weight);
}

/** The record of a delta, in the same form. */
export function* encodeDelta(delta: Delta): Generator<Uint8Array, void, undefined> {
  const plan = new RecordPlan();
  yield* encode(DELTA, delta.change === undefined ? null : plan.change(delta.change), plan, delta.weight);
}

function* encode(
  kind: number,
  structure: Structure,
  plan: RecordPlan,
  weight: number,
): Generator<Uint8Array, void, undefined> {
  const writer = new RecordWriter(weight);
  const text = Buffer.from(JSON.stringify(structure));
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header[0] = RECORD_VERSION;
  header[1] = kind;
  header.writeUInt32LE(text.length, 2);
  header.writeUInt32LE(plan.pieces.length, 6);
  yield* writer.bytes(header);
  yield* writer.bytes(text);
  for (const piece of plan.pieces) {
    if (!writer.fits(piece)) yield* writer.outgrown(piece);
  }
  yield* writer.finish();
}
