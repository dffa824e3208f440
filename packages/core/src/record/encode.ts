import type { Delta } from "../delta.js";
import type { Snapshot } from "../snapshot.js";
import { DELTA, KEYFRAME, type Structure } from "./format.js";
import { RecordPlan } from "./plan.js";
import { RecordWriter } from "./writer.js";

/** Records up to this estimate are one chunk as a rule, which needs none of what makes a long one lazy. */
const AT_ONCE_BYTES = 32_768;

/**
 * The record of a whole state, as chunks of at most 1 MiB (usually 64 to 256 KiB). Of a long record nothing is encoded before its chunk
 * is asked for, and only one chunk is alive at a time; take all of them, in one go or with pauses in between.
 */
export function encodeKeyframe(state: Snapshot): Iterable<Uint8Array> {
  const plan = new RecordPlan();
  const writer = new RecordWriter(state.weight, true);
  const encoding = () => encode(KEYFRAME, plan.node(state.root), plan, writer);
  return state.weight <= AT_ONCE_BYTES ? encoding() : lazily(encoding);
}

/** The record of a delta, in the same form. */
export function encodeDelta(delta: Delta): Iterable<Uint8Array> {
  const plan = new RecordPlan();
  const writer = new RecordWriter(delta.weight, delta.isOfLarge);
  const encoding = () =>
    encode(DELTA, delta.change === undefined ? null : plan.change(delta.change), plan, writer);
  return delta.weight <= AT_ONCE_BYTES ? encoding() : lazily(encoding);
}

function* lazily(encoding: () => Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  yield* encoding();
}

function encode(
  kind: number,
  structure: Structure,
  plan: RecordPlan,
  writer: RecordWriter,
): Iterable<Uint8Array> {
  const { pieces } = plan;
  const text = JSON.stringify(structure);
  if (!writer.begin(kind, text, pieces.length)) return encodeFrom(0, plan, writer, Buffer.from(text));
  for (let i = 0; i < pieces.length; i++) if (!writer.fits(pieces[i]!)) return encodeFrom(i, plan, writer);
  return [writer.chunk()];
}

/** Goes on where the first chunk was full: before the piece `from`, with bytes that had no room before it. */
function* encodeFrom(
  from: number,
  { pieces }: RecordPlan,
  writer: RecordWriter,
  before?: Uint8Array,
): Generator<Uint8Array, void, undefined> {
  if (before !== undefined) yield* writer.bytes(before);
  for (let i = from; i < pieces.length; i++) {
    const piece = pieces[i]!;
    if (!writer.fits(piece)) yield* writer.outgrown(piece);
  }
  yield* writer.finish();
}
