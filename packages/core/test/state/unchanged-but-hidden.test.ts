import { type Snapshot, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { failure } from "./failure.js";

/** Something that was captured, what is done to it that leaves every value as it was, and where that is. */
type Case = [string, () => unknown, (target: never) => unknown, string];

const hide = (target: object, key: string) => Object.defineProperty(target, key, { enumerable: false });

describe("what is refused in a new value is refused in one that was captured before, equal as it is otherwise", () => {
  const many = () => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key-${i}`, i]));
  const cases: Case[] = [
    ["a property of a few bytes", () => new Uint8Array(4), (t) => Object.assign(t, { unit: "m" }), ""],
    ["a property of an embedding", () => new Float32Array(768), (t) => Object.assign(t, { unit: "m" }), ""],
    ["a property of a Buffer", () => Buffer.alloc(600), (t) => Object.assign(t, { unit: "m" }), ""],
    ["a property of an ArrayBuffer", () => new ArrayBuffer(600), (t) => Object.assign(t, { unit: "m" }), ""],
    [
      "a property of a DataView",
      () => new DataView(new ArrayBuffer(4)),
      (t) => Object.assign(t, { unit: "m" }),
      "",
    ],
    ["a lastIndex of -0", () => /a/g, (t) => Object.assign(t, { lastIndex: -0 }), ""],
    ["a property made non-enumerable", () => ({ a: 1, b: 2 }), (t) => hide(t, "a"), ".a"],
    ["one of many made non-enumerable", many, (t) => hide(t, "key-200"), '["key-200"]'],
    [
      "one with a key like the tag made non-enumerable",
      () => ({ a: 1, $ckpt: 2 }),
      (t) => hide(t, "a"),
      ".a",
    ],
    [
      "one made non-enumerable without a prototype",
      () => Object.assign(Object.create(null), { a: 1 }),
      (t) => hide(t, "a"),
      ".a",
    ],
    [
      "an element made non-enumerable, and a property",
      () => [1, 2],
      (t) => Object.assign(hide(t, "1"), { more: 1 }),
      "",
    ],
    [
      "a hole in place of undefined, and a property",
      () => [1, undefined, 3],
      (t) => {
        delete t[1];
        Object.assign(t, { "01": 1 });
      },
      "",
    ],
  ];
  for (const [name, make, change, where] of cases) {
    it(name, () => {
      for (const wrap of [
        (target: unknown) => ({ a: [target, 1] }),
        (target: unknown) => ({ a: [{ b: target }] }),
        (target: unknown) => ({ a: target }),
        (target: unknown) => new Map([["a", target]]),
        (target: unknown) => target,
      ]) {
        const target = make();
        const live = wrap(target);
        const previous = snapshot(live);
        expect(snapshot(live, { previous })).toBe(previous);
        change(target as never);
        const found = failure(live, { previous });
        expect(found).toMatchObject({ code: "CKPT_REFUSED_STATE", path: failure(live).path });
        expect(String(found.path).endsWith(where)).toBe(true);
      }
    });
  }

  it("a hole beside elements that moved", () => {
    const previous = snapshot([1, undefined, 3, undefined, 5]);
    for (const [list, holes] of [
      [[2, undefined, 3, undefined, 5], [1]],
      [[0, 1, undefined, 3, undefined, 5], [2]],
      [[3, undefined, 1, 5], [1]],
    ] as const) {
      const live: unknown[] = [...list];
      for (const hole of holes) {
        delete live[hole];
        Object.assign(live, { [`more${hole}`]: 1 });
      }
      expect(failure(live, { previous }).code).toBe("CKPT_REFUSED_STATE");
    }
  });

  it("while what something puts on the prototype of all objects changes nothing", () => {
    const live = { a: [{ b: 1 }] };
    const previous = snapshot(live);
    Object.defineProperty(Object.prototype, "polluted", {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    let after: unknown;
    try {
      after = snapshot(live, { previous });
    } finally {
      Reflect.deleteProperty(Object.prototype, "polluted");
    }
    expect(after).toBe(previous);
  });
});

describe("limits hold for a state that equals the one before", () => {
  it("its depth, in arrays as well", () => {
    for (const live of [[[[1]]], { a: [[[1]]] }, new Set([[1]])]) {
      const previous = snapshot(live);
      for (const value of [live, structuredClone(live)]) {
        expect(failure(value, { previous, limits: { maxDepth: 2 } }).code).toBe("CKPT_LIMIT");
      }
    }
  });
});

describe("an object with many keys", () => {
  it("is the old node while it is unchanged, and shares its values when it is not", () => {
    const live: Record<string, unknown> = {};
    for (let i = 0; i < 500; i++) live[`key-${i}`] = { n: i };
    const third = ({ root }: Snapshot) => (root as { one: Record<string, unknown> }).one["key-3"];
    let before = snapshot({ list: [live], one: live });
    expect(snapshot(structuredClone({ list: [live], one: live }), { previous: before })).toBe(before);
    for (const change of [
      () => Object.assign(live, { "key-7": { n: -1 } }),
      () => Object.assign(live, { "key-8": { n: -1 } }),
      () => Object.assign(live, { more: 1 }),
      () => delete live["key-9"],
      () => Object.assign(live, { $ckpt: 1 }),
    ]) {
      change();
      const after = snapshot({ list: [live], one: live }, { previous: before });
      expect(after.hash).toBe(snapshot(structuredClone({ list: [live], one: live })).hash);
      expect(third(after)).toBe(third(before));
      expect(snapshot(structuredClone({ list: [live], one: live }), { previous: after })).toBe(after);
      before = after;
    }
  });
});
