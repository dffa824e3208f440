import { type AnyClassCodec, type Snapshot, type StateNode, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { numbers } from "./mutate.js";

/*
 * What comparing a state with the one before costs where everything is against it. Counted, never timed: reads of the live
 * value, of the marks on old elements, calls of a codec.
 */

/** Old nodes that a list took over. */
function kept(before: Snapshot, after: Snapshot): number {
  const old = new Set(before.root as readonly StateNode[]);
  return (after.root as readonly StateNode[]).filter((node) => old.has(node)).length;
}

/** All but the first, neighbours swapped, and one that is new. */
const swapped = <T>(list: readonly T[], last: T): T[] => {
  const live: T[] = [];
  for (let i = 1; i + 1 < list.length; i += 2) live.push(list[i + 1]!, list[i]!);
  return [...live, last];
};

function shuffled<T>(list: readonly T[]): T[] {
  const random = numbers(3);
  return list
    .map((item) => [random(), item] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, item]) => item);
}

/** Runs `work` and counts how often bytes of a new `Uint8Array` are read in it: old elements that are taken are marked in one. */
function markReads(work: () => void): number {
  const original = globalThis.Uint8Array;
  let reads = 0;
  const watched = {
    get(target: Uint8Array, key: string | symbol) {
      if (typeof key === "string") reads++;
      return Reflect.get(target, key, target);
    },
  };
  globalThis.Uint8Array = new Proxy(original, {
    construct: (target, from) => new Proxy(Reflect.construct(target, from), watched),
  });
  try {
    work();
  } finally {
    globalThis.Uint8Array = original;
  }
  return reads;
}

describe("a list whose elements all look alike", () => {
  it("is searched once, not once for each element, when neighbours swap places", () => {
    const list = Array.from({ length: 3_001 }, (_, i) => BigInt(i));
    const previous = snapshot(list);
    const live = swapped(list, -1n);
    const reads = markReads(() => snapshot(live, { previous }));
    expect(reads).toBeGreaterThan(3_000);
    expect(reads).toBeLessThan(20 * 3_000);
  });
});

describe("elements that differ in one place only are found again in any order", () => {
  const lists: [string, (i: number) => unknown][] = [
    ["dates", (i) => new Date(1_700_000_000_000 + i * 1_000)],
    ["rows whose last value differs", (i) => [0, 0, 0, 0, i]],
    ["rows whose middle value differs", (i) => [0, 0, 0, 0, i, 0, 0, 0, 0]],
    [
      "objects whose last of twelve keys differs",
      (i) => Object.fromEntries([..."abcdefghijkl"].map((key) => [key, key === "l" ? i : 0])),
    ],
    ["objects with the time in microseconds", (i) => ({ at: 1_700_000_000_000_000 + i })],
    ["objects with fractions", (i) => ({ share: i / 4_096 })],
    ["objects with a date", (i) => ({ kind: "seen", at: new Date(i) })],
  ];
  for (const [name, make] of lists) {
    it(name, () => {
      const list = Array.from({ length: 1_000 }, (_, i) => make(i));
      const previous = snapshot(list);
      const after = snapshot(shuffled(list), { previous });
      expect(kept(previous, after)).toBe(1_000);
    });
  }

  it("and dates that a codec keeps, as far as they are looked for", () => {
    const codec: AnyClassCodec = {
      name: "Day",
      is: (value) => value instanceof Date,
      encode: (date: Date) => date.getTime(),
      decode: (time) => new Date(time as number),
    };
    const list = Array.from({ length: 8 }, (_, i) => new Date(i));
    const previous = snapshot(list, { codecs: [codec] });
    const after = snapshot([...list].reverse(), { codecs: [codec], previous });
    expect(kept(previous, after)).toBe(8);
  });
});

describe("containers inside containers, of which the innermost changed", () => {
  const LEVELS = 100;
  const WIDTH = 20;
  let reads = 0;
  const row = () =>
    new Proxy(
      Array.from({ length: WIDTH }, (_, i) => i),
      {
        get(target, key) {
          if (typeof key === "string" && key !== "length") reads++;
          return Reflect.get(target, key);
        },
        getOwnPropertyDescriptor(target, key) {
          if (typeof key === "string" && key !== "length") reads++;
          return Reflect.getOwnPropertyDescriptor(target, key);
        },
      },
    );
  const withStack = (error: Error) => Object.assign(error, { stack: "at work" });
  const wraps: [string, (inner: unknown) => unknown][] = [
    ["arrays", (inner) => [row(), inner]],
    ["arrays with objects between", (inner) => ({ list: [row(), { inner }] })],
    ["arrays in which another element changes as well", (inner) => [row(), inner, [inner === undefined]]],
    [
      "Maps",
      (inner) =>
        new Map([
          ["row", row()],
          ["inner", inner],
        ] as [string, unknown][]),
    ],
    ["Sets", (inner) => new Set([row(), inner])],
    ["errors with causes", (inner) => [row(), withStack(new Error("x", { cause: inner }))]],
  ];
  for (const [name, wrap] of wraps) {
    it(`are read a few times, not once for each level above: ${name}`, () => {
      const nest = (leaf: unknown): unknown => {
        let state = leaf;
        for (let i = 0; i < LEVELS; i++) state = wrap(state);
        return state;
      };
      const limits = { maxDepth: 1_000 };
      const previous = snapshot(nest(1), { limits });
      const live = nest(2);
      reads = 0;
      const after = snapshot(live, { previous, limits });
      // Enumerating a proxy's keys asks for each descriptor as well.
      expect(reads).toBeGreaterThan(LEVELS * WIDTH);
      expect(reads).toBeLessThan(LEVELS * WIDTH * 12);
      expect(after.hash).toBe(snapshot(live, { limits }).hash);
    });
  }

  it("are encoded once by a codec, or twice, not once for each level above", () => {
    class Box {
      constructor(
        readonly content: unknown,
        readonly n: number,
      ) {}
    }
    let encodings = 0;
    const codecs: AnyClassCodec[] = [
      {
        name: "Box",
        is: (value) => value instanceof Box,
        encode: ({ content, n }: Box) => {
          encodings++;
          return { content, n };
        },
        decode: (plain) => new Box((plain as Box).content, (plain as Box).n),
      },
    ];
    const nest = (leaf: number): unknown => {
      let state: unknown = [new Box(leaf, 0)];
      for (let i = 1; i < LEVELS; i++) state = [0, new Box(state, i)];
      return state;
    };
    const options = { codecs, limits: { maxDepth: 1_000 } };
    const previous = snapshot(nest(1), options);
    expect(encodings).toBe(LEVELS);
    encodings = 0;
    const after = snapshot(nest(2), { ...options, previous });
    expect(encodings).toBeLessThanOrEqual(2 * LEVELS);
    expect(after.hash).toBe(snapshot(nest(2), options).hash);
  });
});
