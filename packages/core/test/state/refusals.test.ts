import { type AnyClassCodec, fromTaggedJson, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { failure } from "./failure.js";

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

const pointCodec: AnyClassCodec = {
  name: "Point",
  is: (value) => value instanceof Point,
  encode: ({ x, y }: Point) => ({ x, y }),
  decode: (plain) => new Point((plain as Point).x, (plain as Point).y),
};

const cycle = (): unknown => {
  const list: unknown[] = [];
  list.push({ back: list });
  return { list };
};

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const withProperty = (target: object, name: string, descriptor: PropertyDescriptor): object =>
  Object.defineProperty(target, name, descriptor);

describe("a value that cannot be kept exactly is refused with its path", () => {
  const cases: [string, () => unknown, string][] = [
    ["a function", () => ({ a: [1, 2, 3, { b() {} }] }), "$.a[3].b"],
    ["a symbol", () => ({ "odd key": Symbol("s") }), '$["odd key"]'],
    ["a symbol key", () => ({ a: { [Symbol("s")]: 1 } }), "$.a"],
    [
      "a getter",
      () => ({
        a: {
          get b() {
            return 1;
          },
        },
      }),
      "$.a.b",
    ],
    ["a non-enumerable property", () => [withProperty({}, "hidden", { value: 1 })], "$[0].hidden"],
    ["a hole", () => ({ a: Object.assign(new Array(3), { 0: 1, 2: 3 }) }), "$.a[1]"],
    ["an array with a property", () => ({ m: "ab".match(/b/) }), "$.m"],
    [
      "an array's getter",
      () => ({ a: withProperty([1], "0", { get: () => 1, enumerable: true }) }),
      "$.a[0]",
    ],
    ["an array of a subclass", () => [new (class extends Array {})()], "$[0]"],
    ["an instance of a class", () => ({ p: new Point(1, 2) }), "$.p"],
    ["a Map of a subclass", () => [new (class extends Map {})()], "$[0]"],
    ["an error of a subclass", () => ({ e: new (class Mine extends Error {})() }), "$.e"],
    ["an error with a symbol", () => ({ e: Object.assign(new Error("x"), { [Symbol("s")]: 1 }) }), "$.e"],
    ["a date with a property", () => ({ d: Object.assign(new Date(), { zone: 1 }) }), "$.d"],
    ["bytes with a property", () => ({ d: Object.assign(new Uint8Array(2), { unit: "m" }) }), "$.d"],
    ["a function in a Map's key", () => ({ m: new Map([[{ f: () => 1 }, 2]]) }), "$.m[0][0].f"],
    ["a function in a Set", () => new Set([1, () => 1]), "$[1]"],
    ["a function in an error's cause", () => ({ e: new Error("x", { cause: () => 1 }) }), "$.e.cause"],
    ["a cycle", cycle, "$.list[0].back"],
    ["a SharedArrayBuffer", () => [new SharedArrayBuffer(8)], "$[0]"],
    ["a view of shared memory", () => [new Uint8Array(new SharedArrayBuffer(8))], "$[0]"],
    ["a WeakMap", () => [new WeakMap()], "$[0]"],
    ["a Promise", () => ({ p: Promise.resolve(1) }), "$.p"],
    ["a boxed primitive", () => [Object(1)], "$[0]"],
    ["a revoked proxy", () => ({ p: revoked() }), "$.p"],
    ["a false URL", () => [Object.create(URL.prototype)], "$[0]"],
    ["a RegExp with an odd lastIndex", () => [Object.assign(/a/g, { lastIndex: -1 })], "$[0]"],
    ["a RegExp whose lastIndex is -0", () => [Object.assign(/a/g, { lastIndex: -0 })], "$[0]"],
  ];
  for (const [name, make, path] of cases) {
    it(name, () => {
      expect(failure(make())).toMatchObject({ code: "CKPT_REFUSED_STATE", path });
      expect(failure(make()).error.hint).toMatch(/class codec/);
      // The same where the rest of the state is as it was.
      const previous = snapshot({ rest: [1, 2, 3], x: 0 });
      expect(failure({ rest: [1, 2, 3], x: make() }, { previous })).toMatchObject({
        code: "CKPT_REFUSED_STATE",
        path: path.replace("$", "$.x"),
      });
    });
  }

  it("and a Proxy of what would be kept says that it is one", () => {
    for (const target of [new Map(), new Set(), new Date(), new Uint8Array(2), new Error("x")]) {
      expect(failure({ a: new Proxy(target, {}) }).reason).toBe(
        `a Proxy, behind which an instance of ${target.constructor.name} cannot be read`,
      );
    }
  });

  it("and memory that may be resized says so, behind a view or not", () => {
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
    const memory = new Resizable(8, { maxByteLength: 16 });
    for (const value of [memory, new Uint8Array(memory), new DataView(memory)])
      expect(failure({ a: value }).reason).toMatch(/resiz/);
  });

  it("even when it appears on what is otherwise unchanged", () => {
    const state = {
      a: { b: 1 },
      list: [1, 2],
      date: new Date(0),
      map: new Map([[1, 2]]),
      items: [{ deep: { x: 1 } }],
    };
    const previous = snapshot(state);
    for (const target of [
      state,
      state.a,
      state.list,
      state.date,
      state.map,
      state.items[0]!,
      state.items[0]!.deep,
    ]) {
      const key = Symbol("late");
      Object.assign(target, { [key]: 1 });
      expect(failure(state, { previous }).code).toBe("CKPT_REFUSED_STATE");
      Reflect.deleteProperty(target, key);
      Object.defineProperty(target, "late", {
        value: 1,
        enumerable: target === state.list,
        configurable: true,
      });
      expect(failure(state, { previous }).code).toBe("CKPT_REFUSED_STATE");
      Reflect.deleteProperty(target, "late");
    }
    expect(snapshot(state, { previous })).toBe(previous);
  });

  it("and a getter is never run for it", () => {
    let runs = 0;
    const state = {
      a: {
        get b() {
          runs++;
          throw new Error("mine");
        },
      },
    };
    expect(failure(state)).toMatchObject({ path: "$.a.b", reason: expect.stringMatching(/accessor/) });
    expect(runs).toBe(0);
  });

  it("with the cause where reading it failed", () => {
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("trap");
        },
      },
    );
    const { path, error } = failure({ a: [proxy] });
    expect(path).toBe("$.a[0]");
    expect((error.cause as Error).message).toBe("trap");
  });
});

describe("a state over its limits", () => {
  it("is refused for its depth, and only then", () => {
    expect(failure(nested(513))).toMatchObject({
      code: "CKPT_LIMIT",
      reason: expect.stringMatching(/maxDepth/),
    });
    expect(snapshot(nested(512)).toValue()).toEqual(nested(512));
    expect(failure(nested(100_000)).code).toBe("CKPT_LIMIT");
    expect(failure(nested(5), { limits: { maxDepth: 4 } })).toMatchObject({
      code: "CKPT_LIMIT",
      path: "$[0][0][0][0]",
    });
    expect(snapshot(nested(1_000), { limits: { maxDepth: 1_000 } }).toValue(undefined)).toBeInstanceOf(Array);
  });

  it("is refused for a shared reference that expands without end, soon", () => {
    let bomb: unknown = { leaf: [1, 2, 3] };
    for (let i = 0; i < 100; i++) bomb = { a: bomb, b: bomb };
    expect(failure(bomb)).toMatchObject({ code: "CKPT_LIMIT", reason: expect.stringMatching(/maxNodes/) });
  });

  it("is refused for its number of values and its size", () => {
    expect(failure({ a: [1, 2, 3, 4] }, { limits: { maxNodes: 5 } })).toMatchObject({
      code: "CKPT_LIMIT",
      path: "$",
    });
    expect(snapshot({ a: [1, 2, 3, 4] }, { limits: { maxNodes: 6 } }).weight).toBeGreaterThan(0);
    expect(failure({ a: "x".repeat(100) }, { limits: { maxBytes: 100 } })).toMatchObject({
      code: "CKPT_LIMIT",
      path: "$.a",
    });
    expect(failure("x".repeat(100), { limits: { maxBytes: 100 } })).toMatchObject({
      code: "CKPT_LIMIT",
      path: "$",
    });
    expect(failure(new Uint8Array(400), { limits: { maxBytes: 300 } })).toMatchObject({
      code: "CKPT_LIMIT",
      path: "$",
    });
  });

  it("and limits that are none are refused by name", () => {
    for (const limits of [
      { maxDepth: 0 },
      { maxDepth: 1_001 },
      { maxNodes: 1.5 },
      { maxBytes: Number.NaN },
    ]) {
      expect(failure(1, { limits }).code).toBe("CKPT_INVALID_ARGUMENT");
    }
  });
});

describe("a class codec", () => {
  it("keeps instances, wherever they stand, and shares them while they stay equal", () => {
    const state = { at: [new Point(1, 2)], seen: new Map([[new Point(3, 4), 1]]) };
    const taken = snapshot(state, { codecs: [pointCodec] });
    const back = taken.toValue<typeof state>([pointCodec]);
    expect(back.at[0]).toBeInstanceOf(Point);
    expect([...back.seen.keys()][0]).toEqual(new Point(3, 4));
    expect(snapshot(back, { codecs: [pointCodec], previous: taken })).toBe(taken);
    const moved = { ...back, at: [new Point(1, 3)] };
    expect(snapshot(moved, { codecs: [pointCodec], previous: taken }).hash).not.toBe(taken.hash);
  });

  it("that is missing on restore is named", () => {
    const taken = snapshot([new Point(1, 2)], { codecs: [pointCodec] });
    expect(() => taken.toValue()).toThrow(
      expect.objectContaining({ code: "CKPT_UNKNOWN_CODEC", details: { codec: "Point" } }),
    );
  });

  it("needs a name of its own", () => {
    const codecs = [pointCodec, pointCodec];
    expect(failure(1, { codecs }).code).toBe("CKPT_INVALID_ARGUMENT");
    expect(failure(1, { codecs: [{ ...pointCodec, name: "a b" }] }).code).toBe("CKPT_INVALID_ARGUMENT");
  });

  it("that never ends is stopped by the depth limit", () => {
    const endless: AnyClassCodec = { ...pointCodec, encode: () => ({ again: new Point(0, 0) }) };
    expect(failure(new Point(1, 2), { codecs: [endless] }).code).toBe("CKPT_LIMIT");
  });
});

describe("tagged JSON that no snapshot wrote is refused", () => {
  const cases: [string, unknown][] = [
    ["an unknown tag", { $ckpt: "Function", v: "alert(1)" }],
    ["a tag that is no text", { $ckpt: 1, v: 1 }],
    ["a tag beside other keys", { $ckpt: "Date", v: 1, w: 2 }],
    ["a tag that is not first", { v: 1, $ckpt: "Date" }],
    ["a date out of range", { $ckpt: "Date", v: 8.7e15 }],
    ["a bigint with letters", { $ckpt: "bigint", v: "0x10" }],
    ["a number that JSON can say", { $ckpt: "number", v: "1" }],
    ["a Map of no entries", { $ckpt: "Map", v: [[1]] }],
    ["a Set of no list", { $ckpt: "Set", v: {} }],
    ["a URL that is none", { $ckpt: "URL", v: "no url" }],
    ["a RegExp without flags", { $ckpt: "RegExp", v: ["a"] }],
    ["an Error of a foreign class", { $ckpt: "Error", v: { type: "Function", own: {}, props: {} } }],
    ["an Error with a foreign field", { $ckpt: "Error", v: { type: "Error", own: { x: 1 }, props: {} } }],
    ["base64 that is not strict", { $ckpt: "Buffer", v: "aGk" }],
    ["bytes that do not fill elements", { $ckpt: "Uint32Array", v: "aGk=" }],
    ["bytes that are no text", { $ckpt: "Buffer", v: [1, 2] }],
    ["a codec with no name", { $ckpt: "codec", v: ["a b", 1] }],
    ["a null prototype around a tag", { $ckpt: "null", v: { $ckpt: "Date", v: 1 } }],
    ["an infinite number", [Infinity]],
    ["a function", { f: () => 1 }],
    ["a live Date", { at: new Date(0) }],
    ["a live Map", new Map([[1, 2]])],
    ["an instance of a class", new Point(1, 2)],
    ["live bytes", new Uint8Array(2)],
  ];
  for (const [name, json] of cases) {
    it(name, () => {
      expect(() => fromTaggedJson(json)).toThrow(expect.objectContaining({ code: "CKPT_CORRUPT" }));
      expect(() => fromTaggedJson({ a: [json] })).toThrow(expect.objectContaining({ code: "CKPT_CORRUPT" }));
    });
  }

  it("and one that nests too deep", () => {
    expect(() => fromTaggedJson(nested(600))).toThrow(expect.objectContaining({ code: "CKPT_LIMIT" }));
  });

  it("while a key named __proto__ stays data", () => {
    const state = fromTaggedJson(JSON.parse('{"__proto__":{"polluted":1}}')).toValue<object>();
    expect(Object.getPrototypeOf(state)).toBe(Object.prototype);
    expect(Object.keys(state)).toEqual(["__proto__"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
