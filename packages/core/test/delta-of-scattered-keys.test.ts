import { diff, encodeDelta, encodeKeyframe, StateAssembler, snapshot } from "@ckpt/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const numRuns = Number(process.env.CKPT_PROPERTY_RUNS ?? 300);

/** Writes the first state whole and each further one as a delta, then reads the last one back, verified. */
function roundTrip(states: readonly Record<string, unknown>[]): unknown {
  const assembler = new StateAssembler();
  let previous = snapshot(states[0]);
  const feed = (sink: { push(bytes: Uint8Array): void; end(): void }, chunks: Iterable<Uint8Array>) => {
    for (const chunk of chunks) sink.push(chunk);
    sink.end();
  };
  feed(assembler.keyframe(), encodeKeyframe(previous));
  for (const state of states.slice(1)) {
    const next = snapshot(state, { previous });
    feed(assembler.delta(), encodeDelta(diff(previous, next)));
    previous = next;
  }
  return assembler.finish(previous.hash).toValue();
}

const heavy = "h".repeat(9_000);

describe("a delta that sets keys which do not stand side by side", () => {
  it("reads back: two values set together, in an object that begins with another run of two", () => {
    const first = { step: 1, began: 1, conversation: [heavy], current: null, taken: 0 };
    const second = { ...first, step: 2, current: "a task" };
    expect(roundTrip([first, second])).toEqual(second);
  });

  it("reads back for any keys, light and heavy, set in any of several deltas", () => {
    const value = fc.oneof(
      fc.integer(),
      fc.string({ maxLength: 20 }),
      fc.constant("m".repeat(600)),
      fc.constant([heavy]),
    );
    const key = fc.constantFrom("a", "b", "c", "d", "e", "f", "g");
    const change = fc.dictionary(key, value, { maxKeys: 4 });
    fc.assert(
      fc.property(fc.dictionary(key, value), fc.array(change, { maxLength: 5 }), (start, changes) => {
        const states: Record<string, unknown>[] = [{ large: heavy, ...start }];
        for (const next of changes) states.push({ ...states.at(-1), ...next });
        expect(roundTrip(states)).toEqual(states.at(-1));
      }),
      { numRuns },
    );
  });
});
