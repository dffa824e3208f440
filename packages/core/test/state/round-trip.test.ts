import {
  applyDelta,
  diff,
  encodeDelta,
  encodeKeyframe,
  fromTaggedJson,
  rebase,
  type Snapshot,
  StateAssembler,
  snapshot,
  toJsonPatch,
} from "@ckpt/core";
import fc from "fast-check";
import jsonPatch from "fast-json-patch";
import { describe, expect, it } from "vitest";
import { difference } from "./equality.js";
import { mutate, numbers } from "./mutate.js";
import { agentState, parameters, richState } from "./rich-states.js";

const splits = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 });

/** Pushes a record in portions that have nothing to do with its chunks. */
function pushSplit(
  sink: { push(bytes: Uint8Array): void; end(): void },
  chunks: Iterable<Uint8Array>,
  sizes: readonly number[],
): void {
  const whole = Buffer.concat([...chunks]);
  for (let offset = 0, i = 0; offset < whole.length; i++) {
    const size = sizes[i % sizes.length]!;
    sink.push(Uint8Array.from(whole.subarray(offset, offset + size)));
    offset += size;
  }
  sink.end();
}

/** Every container of `next` that is equal to one at the same place of `previous` is that very one. */
function expectShared(previous: unknown, next: unknown): void {
  if (
    typeof next !== "object" ||
    next === null ||
    typeof previous !== "object" ||
    previous === null ||
    previous === next
  )
    return;
  expect(difference(previous, next)).not.toBeUndefined();
  if (Array.isArray(next) || Array.isArray(previous)) return;
  // A value of another type is new, even where both are empty.
  if ((previous as { $ckpt?: unknown }).$ckpt !== (next as { $ckpt?: unknown }).$ckpt) return;
  for (const key of Object.keys(next)) {
    expectShared((previous as Record<string, unknown>)[key], (next as Record<string, unknown>)[key]);
  }
}

/** Whether an object stands twice in a list. */
function hasAlias(list: readonly unknown[]): boolean {
  const objects = list.filter((item) => typeof item === "object" && item !== null);
  return new Set(objects).size < objects.length;
}

describe("a snapshot of any state", () => {
  it("comes back exactly", () => {
    fc.assert(
      fc.property(richState, (state) => {
        const taken = snapshot(state);
        expect(difference(state, taken.toValue())).toBeUndefined();
        expect(snapshot(taken.toValue()).hash).toBe(taken.hash);
      }),
      parameters("toValue(snapshot(x)) = x"),
    );
  });

  it("comes back exactly from its tagged JSON, as text", () => {
    fc.assert(
      fc.property(richState, (state) => {
        const taken = snapshot(state);
        const read = fromTaggedJson(JSON.parse(JSON.stringify(taken.toTaggedJson())));
        expect(read.hash).toBe(taken.hash);
        expect(difference(state, read.toValue())).toBeUndefined();
      }),
      parameters("fromTaggedJson(toTaggedJson(x)) = x"),
    );
  });

  it("is the same snapshot when taken again, from the same or a rebuilt value", () => {
    fc.assert(
      fc.property(richState, (state) => {
        const first = snapshot(state);
        expect(snapshot(state, { previous: first })).toBe(first);
        expect(snapshot(first.toValue(), { previous: first })).toBe(first);
        expect(rebase(snapshot(state), first)).toBe(first);
      }),
      parameters("unchanged is identical"),
    );
  });

  it("comes back from its record, however the bytes are portioned", () => {
    fc.assert(
      fc.property(fc.oneof(richState, agentState), splits, (state, sizes) => {
        const taken = snapshot(state);
        const assembler = new StateAssembler();
        pushSplit(assembler.keyframe(), encodeKeyframe(snapshot(state)), sizes);
        const read = assembler.finish(taken.hash);
        expect(difference(state, read.toValue())).toBeUndefined();
        expect(JSON.stringify(read.toTaggedJson())).toBe(JSON.stringify(taken.toTaggedJson()));
      }),
      parameters("decode(encode(x)) = x"),
    );
  });
});

describe("a delta between any two states", () => {
  const check = (a: Snapshot, b: Snapshot): void => {
    const applied = applyDelta(a, diff(a, b));
    expect(applied.hash).toBe(b.hash);
    expect(applied.weight).toBe(b.weight);
    expect(JSON.stringify(applied.toTaggedJson())).toBe(JSON.stringify(b.toTaggedJson()));
    expect(diff(a, applied).isEmpty).toBe(a.hash === b.hash);
  };

  it("leads from one to the other, whether or not they share anything", () => {
    fc.assert(
      fc.property(richState, richState, (x, y) => {
        const a = snapshot(x);
        check(a, snapshot(y, { previous: a }));
        check(a, snapshot(y));
      }),
      parameters("apply(diff(a, b), a) = b"),
    );
  });

  it("is a JSON Patch that an independent library applies to the tagged JSON", () => {
    const hasProto = (json: unknown): boolean => JSON.stringify(json).includes('"__proto__"');
    fc.assert(
      fc.property(
        agentState,
        fc.nat(),
        fc.array(richState, { minLength: 4, maxLength: 4 }),
        (state, seed, fresh) => {
          const random = numbers(seed);
          const a = snapshot(state);
          for (const value of fresh) mutate(state, random, value);
          const b = snapshot(state, { previous: a });
          // That library refuses the key, for the sake of code that is less careful.
          if (hasProto(a.toTaggedJson()) || hasProto(b.toTaggedJson())) return;
          const document = JSON.parse(JSON.stringify(a.toTaggedJson()));
          const patch = JSON.parse(JSON.stringify(toJsonPatch(a, diff(a, b))));
          const { newDocument } = jsonPatch.applyPatch(document, patch, true);
          expect(newDocument).toEqual(JSON.parse(JSON.stringify(b.toTaggedJson())));
        },
      ),
      parameters("toJsonPatch"),
    );
  });
});

describe("a history of random edits", () => {
  it("is restored by keyframe and deltas, with the same hash as a snapshot from scratch, and shares what stayed", () => {
    fc.assert(
      fc.property(
        agentState,
        fc.nat(),
        fc.array(richState, { minLength: 2, maxLength: 9 }),
        splits,
        (state, seed, fresh, sizes) => {
          const random = numbers(seed);
          let previous = snapshot(state);
          let aliased = false;
          const assembler = new StateAssembler();
          pushSplit(assembler.keyframe(), encodeKeyframe(previous), sizes);
          for (const value of fresh) {
            mutate(state, random, value);
            aliased ||= seed % 2 === 0 && hasAlias(state.messages);
            const next = snapshot(seed % 2 === 0 ? state : snapshot(state).toValue(), { previous });
            // One live object in two places has one node, which can share with one of their former nodes only.
            if (!aliased) expectShared(previous.root, next.root);
            const delta = diff(previous, next);
            expect(applyDelta(previous, delta).hash).toBe(next.hash);
            pushSplit(assembler.delta(), encodeDelta(delta), sizes);
            previous = next;
          }
          expect(snapshot(state).hash).toBe(previous.hash);
          const read = assembler.finish(previous.hash);
          expect(difference(read.toValue(), state)).toBeUndefined();
          expect(read.weight).toBe(previous.weight);
        },
      ),
      parameters("assembler(keyframe + deltas) = last"),
    );
  });

  it("never changes a snapshot that was taken", () => {
    fc.assert(
      fc.property(
        agentState,
        fc.nat(),
        fc.array(richState, { minLength: 3, maxLength: 6 }),
        (state, seed, fresh) => {
          const random = numbers(seed);
          const taken = snapshot(state);
          const before = snapshot(state).toValue();
          for (const value of fresh) mutate(state, random, value);
          expect(difference(taken.toValue(), before)).toBeUndefined();
          const value = taken.toValue<typeof state>();
          for (const change of fresh) mutate(value, random, change);
          expect(difference(taken.toValue(), before)).toBeUndefined();
        },
      ),
      parameters("mutation changes no snapshot"),
    );
  });
});
