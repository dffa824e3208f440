import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePythonJson } from "../src/python-json-parse.js";
import { writePythonJson } from "../src/python-json-write.js";

const runs = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };
const verbatim = { literals: true, key: (key: string) => key };
const read = (text: string) => parsePythonJson(text, 100);

describe("Python's JSON", () => {
  it("is read as JSON.parse reads it, wherever JSON.parse does and no integer is beyond 2^53", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (text, indent) => {
        const pretty = JSON.stringify(JSON.parse(text), null, indent);
        fc.pre(!/\d{16}/.test(pretty));
        expect(read(pretty)).toStrictEqual(JSON.parse(pretty));
      }),
      runs,
    );
  });

  it("is refused wherever JSON.parse refuses it, but for NaN and the infinities", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 2 }),
        fc.nat(),
        fc.constantFrom(...'"\\{}[],:x0-.e\u0001'),
        (text, at, put) => {
          const place = at % (text.length + 1);
          const broken = text.slice(0, place) + put + text.slice(place + 1);
          let expected: unknown;
          let isJson = true;
          try {
            expected = JSON.parse(broken);
          } catch {
            isJson = false;
          }
          if (!isJson)
            expect(() => read(broken)).toThrow(expect.objectContaining({ code: "CKPT_INVALID_IMPORT" }));
          else if (!/\d{16}|-0/.test(broken)) expect(read(broken)).toStrictEqual(expected);
        },
      ),
      runs,
    );
  });

  it("written and read again is the same value, strings with lone surrogates too", () => {
    const json = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        fc.string({ unit: "binary" }),
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("node")),
        fc.dictionary(fc.string({ unit: "binary" }), tie("node")).map((o) => ({ ...o })),
      ),
    })).node;
    fc.assert(
      fc.property(json, (value) => {
        expect(read(writePythonJson(value as never, verbatim))).toStrictEqual(value);
      }),
      runs,
    );
  });

  it.each([
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9007199254740992", 2n ** 53n],
    ["-9007199254740993", -(2n ** 53n) - 1n],
    ["9007199254740992.0", 2 ** 53],
    ["1e400", Number.POSITIVE_INFINITY],
    ["-0", 0],
    ["-0.0", -0],
    ["NaN", Number.NaN],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ['"\\ud83d\\ude80\\ud83d"', "🚀\ud83d"],
    ['{"a": 1, "b": 2, "a": 3}', { a: 3, b: 2 }],
  ])("reads %s", (text, value) => {
    expect(read(text)).toStrictEqual(value);
    expect(read(` \n${text}\t`)).toStrictEqual(value);
  });

  it.each([
    "-NaN",
    "+1",
    "01",
    "1.",
    ".5",
    "0x10",
    "nan",
    "'a'",
    "[1 2]",
    '{"a" 1}',
    "{a: 1}",
    "\ufeff[]",
    '"\n"',
    "[1,,2]",
  ])("refuses %j", (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "CKPT_INVALID_IMPORT" }));
  });

  it("allows as many levels as it is told, and no more", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(() => read(nested(100))).not.toThrow();
    expect(() => read(nested(101))).toThrow(expect.objectContaining({ code: "CKPT_LIMIT" }));
  });

  it("reads integers of 4,300 digits, whatever their sign, and no longer ones", () => {
    for (const sign of ["", "-"]) {
      expect(read(sign + "9".repeat(4_300))).toBe(BigInt(sign + "9".repeat(4_300)));
      expect(() => read(sign + "9".repeat(4_301))).toThrow(expect.objectContaining({ code: "CKPT_LIMIT" }));
    }
  });

  it("writes a number beyond 2^53 so that Python and this reader see a float", () => {
    expect(writePythonJson([2 ** 53, -(2 ** 60), 1e21, 1e-7, 5], verbatim).replace(/\s+/g, "")).toBe(
      "[9007199254740992.0,-1152921504606847000.0,1e+21,1e-7,5]",
    );
  });

  it("writes the tagged nodes that have a literal, and leaves the others", () => {
    const node = (tag: string, v: string) => ({ $ckpt: tag, v });
    expect(writePythonJson(node("number", "NaN"), verbatim)).toBe("NaN");
    expect(writePythonJson(node("number", "-0"), verbatim)).toBe("-0.0");
    expect(writePythonJson(node("bigint", "9007199254740993"), verbatim)).toBe("9007199254740993");
    for (const other of [
      node("bigint", "5"),
      node("number", "7"),
      node("bigint", "1; drop"),
      node("Date", "1"),
    ])
      expect(JSON.parse(writePythonJson(other, verbatim))).toEqual(other);
  });
});
