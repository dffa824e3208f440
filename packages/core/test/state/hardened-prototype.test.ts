import { encodeKeyframe, fromTaggedJson, StateAssembler, snapshot } from "@ckpt/core";
import { expect, it } from "vitest";
import { difference } from "./equality.js";

/** What `work` gives while nothing may be assigned over what the prototype of all objects has, as under `node --frozen-intrinsics`. */
function whileFrozen<T>(work: () => T): T {
  const names = ["constructor", "toString", "valueOf", "hasOwnProperty"];
  const setWritable = (writable: boolean) => {
    for (const name of names) Object.defineProperty(Object.prototype, name, { writable });
  };
  setWritable(false);
  try {
    return work();
  } finally {
    setWritable(true);
  }
}

it("keys that objects inherit are data also where the prototype of all objects is frozen", () => {
  const live = {
    words: { constructor: 3, toString: 1 },
    bare: Object.assign(Object.create(null), { valueOf: 1 }),
    list: [{ hasOwnProperty: [undefined], constructor: "words ".repeat(2_000) }],
  };
  const without = snapshot(live);
  whileFrozen(() => {
    const state = snapshot(live);
    const assembler = new StateAssembler();
    const sink = assembler.keyframe();
    for (const chunk of encodeKeyframe(state)) sink.push(chunk);
    sink.end();
    const read = assembler.finish(without.hash);
    return [read.toValue(), fromTaggedJson(read.toTaggedJson()).toValue()];
  }).forEach((value) => void expect(difference(value, live)).toBeUndefined());
});
