import { constants } from "node:buffer";
import {
  type AnyClassCodec,
  CkptError,
  encodeKeyframe,
  fromTaggedJson,
  type SnapshotLimits,
  StateAssembler,
  snapshot,
} from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { failure } from "./failure.js";

class Tag {
  constructor(readonly text: unknown) {}
}
const codecs: AnyClassCodec[] = [
  {
    name: "Tag",
    is: (value) => value instanceof Tag,
    encode: ({ text }: Tag) => text,
    decode: (text) => new Tag(text),
  },
];

const nested = (levels: number, innermost: unknown): unknown => {
  let value = innermost;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
};

const long = "a".repeat(1_000);

/** One of each kind, with the containers that its normal form takes. */
const kinds: [string, () => unknown, number][] = [
  ["a number", () => 1, 0],
  ["undefined", () => undefined, 1],
  ["NaN", () => Number.NaN, 1],
  ["a bigint", () => 1n, 1],
  ["a Date", () => new Date(0), 1],
  ["a URL", () => new URL("http://h/"), 1],
  ["a few bytes", () => new Uint8Array(3), 1],
  ["many bytes", () => Buffer.alloc(300, 1), 1],
  ["a RegExp", () => /a/g, 2],
  ["an empty Set", () => new Set(), 2],
  ["a Set", () => new Set([1]), 2],
  ["a Map", () => new Map([[1, 2]]), 3],
  ["an Error", () => new Error("x"), 3],
  ["an object without a prototype", () => Object.assign(Object.create(null), { a: 1 }), 2],
  ["an instance that a codec makes a text", () => new Tag("x"), 2],
  ["an instance that a codec makes a list", () => new Tag(["x"]), 3],
];

describe("what is taken at the deepest level can be restored, and what cannot is refused by name", () => {
  const limits = { maxDepth: 12 };
  for (const [name, make, height] of kinds) {
    it(name, () => {
      const fits = snapshot(nested(12 - height, make()), { limits, codecs });
      const assembler = new StateAssembler(limits);
      const sink = assembler.keyframe();
      for (const chunk of encodeKeyframe(fits)) sink.push(chunk);
      sink.end();
      const restored = assembler.finish(fits.hash);
      expect(restored.toValue(codecs)).toEqual(fits.toValue(codecs));
      expect(JSON.stringify(restored.root)).toBe(JSON.stringify(fits.root));
      expect(fromTaggedJson(JSON.parse(JSON.stringify(fits.toTaggedJson())), { limits }).hash).toBe(
        fits.hash,
      );

      const deeper = nested(13 - height, make());
      expect(failure(deeper, { limits, codecs })).toMatchObject({
        code: "CKPT_LIMIT",
        reason: expect.stringMatching(/maxDepth/),
        path: expect.stringMatching(/^\$(\[0\]){9,13}/),
      });
      const previous = snapshot(deeper, { codecs });
      expect(failure(deeper, { limits, codecs, previous }).code).toBe("CKPT_LIMIT");
    });
  }

  it("a reference that stands twice, of any kind", () => {
    for (const [name, make, height] of kinds) {
      const shared = nested(11 - height, make());
      const taken = snapshot([shared, shared], { limits, codecs });
      expect(taken.toValue<unknown[]>(codecs)[0], name).toEqual(taken.toValue<unknown[]>(codecs)[1]);
      expect(failure([[shared, shared]], { limits, codecs }).code, name).toBe("CKPT_LIMIT");
    }
  });
});

describe("a state over a limit is refused for that limit, with the path", () => {
  const within = (wrap: (inner: unknown) => unknown, times: number): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < times; i++) value = wrap(value);
    return value;
  };
  const cases: [string, () => unknown, SnapshotLimits, string, string][] = [
    [
      "Maps in Maps",
      () => within((inner) => new Map([["k", inner]]), 200),
      {},
      `$${"[0][1]".repeat(170)}[0]`,
      "maxDepth",
    ],
    ["Sets in Sets", () => within((inner) => new Set([inner]), 300), {}, `$${"[0]".repeat(256)}`, "maxDepth"],
    [
      "errors with causes",
      () => within((cause) => new Error("x", { cause }), 200),
      {},
      `$${".cause".repeat(170)}`,
      "maxDepth",
    ],
    [
      "instances in instances",
      () => within((inner) => new Tag([inner]), 200),
      {},
      `$${"[0]".repeat(170)}`,
      "maxDepth",
    ],
    ["a list of undefined", () => ({ a: Array(60).fill(undefined) }), { maxNodes: 100 }, "$.a", "maxNodes"],
    ["a list of NaN", () => [Array(40).fill(Number.NaN)], { maxNodes: 100 }, "$[0]", "maxNodes"],
    [
      "a Map",
      () => ({ m: new Map(Array.from({ length: 33 }, (_, i) => [i, i])) }),
      { maxNodes: 100 },
      "$.m",
      "maxNodes",
    ],
    ["a bigint", () => ({ a: [10n ** 2_000n] }), { maxBytes: 500 }, "$.a[0]", "maxBytes"],
    ["a bigint alone", () => 10n ** 2_000n, { maxBytes: 500 }, "$", "maxBytes"],
    ["a URL", () => ({ u: new URL(`http://h/${long}`) }), { maxBytes: 500 }, "$.u", "maxBytes"],
    ["an expression", () => [new RegExp(long)], { maxBytes: 500 }, "$[0]", "maxBytes"],
    ["base64 of a few bytes", () => [[new Uint8Array(250)]], { maxBytes: 300 }, "$[0][0]", "maxBytes"],
  ];
  for (const [name, make, limits, path, limit] of cases) {
    it(name, () => {
      expect(failure(make(), { limits, codecs })).toMatchObject({
        code: "CKPT_LIMIT",
        path,
        reason: expect.stringContaining(`limits.${limit}`),
      });
    });
  }

  it("and so is one value of more bytes than a record can say, whatever the limits are", () => {
    const limits = { maxBytes: 2 ** 40 };
    for (const value of [new ArrayBuffer(2 ** 31), new Uint8Array(2 ** 31 + 5)]) {
      expect(failure({ file: value }, { limits })).toMatchObject({
        code: "CKPT_LIMIT",
        path: "$.file",
        reason: expect.stringContaining("2147483647"),
      });
    }
  });

  it("and so is a text whose JSON no string of the runtime could hold", () => {
    const most = constants.MAX_STRING_LENGTH;
    const text = "\u0001".repeat(Math.ceil(most / 6));
    expect(failure({ log: [text] })).toMatchObject({
      code: "CKPT_LIMIT",
      path: "$.log[0]",
      reason: expect.stringContaining(String(most)),
    });
    expect(() => snapshot({ log: [text.slice(0, Math.floor((most - 2) / 6))] })).not.toThrow();
  });

  it("measured as what is taken is: one byte more makes the difference", () => {
    for (const [name, make] of kinds) {
      const taken = snapshot({ a: make() }, { codecs });
      const maxBytes = taken.weight;
      expect(snapshot({ a: make() }, { codecs, limits: { maxBytes } }).hash, name).toHaveLength(64);
      expect(failure({ a: make() }, { codecs, limits: { maxBytes: maxBytes - 1 } }), name).toMatchObject({
        code: "CKPT_LIMIT",
        reason: `about ${maxBytes} bytes (limits.maxBytes)`,
      });
    }
  });
});

describe("what is wrong is said where it is", () => {
  it("memory that was transferred away", () => {
    for (const make of [
      (memory: ArrayBuffer) => memory,
      (memory: ArrayBuffer) => new Uint16Array(memory),
      (memory: ArrayBuffer) => new DataView(memory),
      (memory: ArrayBuffer) => Buffer.from(memory),
    ]) {
      const memory = new ArrayBuffer(8);
      const held = make(memory);
      const previous = snapshot({ a: { b: [held] } });
      structuredClone(memory, { transfer: [memory] });
      for (const options of [{}, { previous }]) {
        expect(failure({ a: { b: [held] } }, options)).toMatchObject({
          code: "CKPT_REFUSED_STATE",
          path: "$.a.b[0]",
          reason: expect.stringMatching(/transferred away/),
        });
      }
    }
  });

  it("a previous snapshot that cannot be read is no fault of the value", () => {
    const previous = snapshot(1);
    const damaged = new CkptError("CKPT_CORRUPT", { message: "Damaged.", hint: "None." });
    Object.defineProperty(previous, "root", {
      get: () => {
        throw damaged;
      },
    });
    expect(() => snapshot({ a: 1 }, { previous })).toThrow(damaged);
  });
});

describe("tagged JSON in which one part stands at many places", () => {
  it("is refused by its number of values before it is copied", () => {
    let reads = 0;
    let json: unknown = {
      get leaf() {
        reads++;
        return 1;
      },
    };
    for (let i = 0; i < 16; i++) json = [json, json];
    expect(() => fromTaggedJson(json, { limits: { maxNodes: 1_000 } })).toThrow(
      expect.objectContaining({ code: "CKPT_LIMIT", details: { maxNodes: 1_000 } }),
    );
    expect(reads).toBeLessThan(1_000);
  });

  it("is refused by the size of its bytes before they are decoded", () => {
    let reads = 0;
    const text = Buffer.alloc(3_000, 7).toString("base64");
    const part = {
      $ckpt: "Buffer",
      get v() {
        reads++;
        return text;
      },
    };
    expect(() => fromTaggedJson(Array(1_000).fill(part), { limits: { maxBytes: 30_000 } })).toThrow(
      expect.objectContaining({ code: "CKPT_LIMIT", details: { maxBytes: 30_000 } }),
    );
    expect(reads).toBeLessThan(20);
    expect(fromTaggedJson(Array(9).fill(part), { limits: { maxBytes: 30_000 } }).toValue()).toHaveLength(9);
  });
});
