import {
  diff,
  encodeDelta,
  encodeKeyframe,
  fromTaggedJson,
  rebase,
  StateAssembler,
  snapshot,
} from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { difference } from "./equality.js";

const states: [string, Record<string, unknown>][] = [
  ["a small one", { step: 1, plan: [{ done: true }], at: new Date(5), none: undefined }],
  ["one with a long text", { step: 1, messages: [{ role: "user", content: "words ".repeat(200) }] }],
  [
    "a large one",
    {
      messages: Array.from({ length: 200 }, (_, id) => ({
        id,
        content: `a line with a "quote" ${id} `.repeat(id),
      })),
      files: new Map([["a", new Uint8Array(600)]]),
      errors: [new TypeError("no", { cause: { code: 1 } })],
    },
  ],
];

/** What `work` gives while the prototype of all objects has one more enumerable property, as some libraries put there. */
function whileExtended<T>(value: unknown, work: () => T): T {
  Object.defineProperty(Object.prototype, "extended", {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
  try {
    return work();
  } finally {
    Reflect.deleteProperty(Object.prototype, "extended");
  }
}

/** Saves the state and a later one, and restores the later. */
function saveAndRestore(live: Record<string, unknown>) {
  const before = snapshot(live);
  const state = snapshot({ ...live, more: "and more ".repeat(100) }, { previous: before });
  const records = [[...encodeKeyframe(before)], [...encodeDelta(diff(before, state))]].map((chunks) =>
    Buffer.concat(chunks),
  );
  const assembler = new StateAssembler();
  for (const [i, record] of records.entries()) {
    const sink = i === 0 ? assembler.keyframe() : assembler.delta();
    sink.push(record);
    sink.end();
  }
  const restored = assembler.finish(state.hash);
  const value = restored.toValue();
  rebase(restored, before);
  fromTaggedJson(state.toTaggedJson());
  return { records, hash: state.hash, weight: state.weight, value };
}

describe("while something has put an enumerable property on the prototype of all objects", () => {
  for (const [name, live] of states) {
    it.each([
      ["a value", 1],
      ["a function", () => 1],
      ["a long text", "x".repeat(600)],
    ])(`${name} is saved as without it, and comes back: %s`, (_, value) => {
      const without = saveAndRestore(live);
      const found = whileExtended(value, () => saveAndRestore(live));
      expect(found.records.map((record) => record.toString("latin1"))).toEqual(
        without.records.map((record) => record.toString("latin1")),
      );
      expect([found.hash, found.weight]).toEqual([without.hash, without.weight]);
      expect(difference(found.value, { ...live, more: "and more ".repeat(100) })).toBe(undefined);
    });
  }
});
