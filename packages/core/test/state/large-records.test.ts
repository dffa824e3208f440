import { diff, encodeDelta, encodeKeyframe, type Snapshot, StateAssembler, snapshot } from "@ckpt/core";
import { expect, it } from "vitest";

function feed(sink: { push(bytes: Uint8Array): void; end(): void }, chunks: Iterable<Uint8Array>): void {
  for (const chunk of chunks) sink.push(chunk);
  sink.end();
}

/** Behind this many bytes of texts an assembler parses what it reads at once instead of keeping it. */
const KEPT_BYTES = 16 * 1024 * 1024;

it("restores deltas on a state larger than what is kept unparsed: runs of light values, and values that stand alone", () => {
  const messages = Array.from({ length: 2300 }, (_, i) => ({ i, content: `${i} ${"words ".repeat(1300)}` }));
  const value: Record<string, unknown> = { messages };
  let previous: Snapshot = snapshot(value);
  expect(previous.weight).toBeGreaterThan(KEPT_BYTES);
  const assembler = new StateAssembler();
  feed(assembler.keyframe(), encodeKeyframe(previous));
  for (let turn = 1; turn <= 3; turn++) {
    value.turn = turn;
    value.notes = Array.from({ length: 40 }, (_, k) => ({ k, note: `note ${k} of turn ${turn}` }));
    messages.push({ i: messages.length, content: `turn ${turn} ${"more ".repeat(400)}` });
    const next = snapshot(value, { previous });
    feed(assembler.delta(), encodeDelta(diff(previous, next)));
    previous = next;
  }
  const state = assembler.finish(previous.hash);
  expect(state.hash).toBe(previous.hash);
  expect(state.toValue()).toEqual(value);
});
