import { StateAssembler, snapshot } from "@ckpt/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { assemble, DELTA, forge, KEYFRAME, restore } from "./forge.js";

afterEach(() => void vi.restoreAllMocks());

/** How many texts `work` parses. */
function parsings(work: () => unknown): number {
  const parse = vi.spyOn(JSON, "parse");
  try {
    work();
  } catch {
    // What it throws is looked at elsewhere.
  }
  return parse.mock.calls.length;
}

const list = (count: number) => JSON.stringify(Array.from({ length: count }, (_, i) => i));

describe("the work that a record asks for grows with its length only", () => {
  it.each([
    ["by turns", (i: number) => (i % 2) * 100 + (i >> 1)],
    ["by turns, each from its end", (i: number) => (i % 2) * 100 + 99 - (i >> 1)],
    ["at random", (i: number) => (i * 73 + 11) % 200],
  ])("where a delta mixes the runs of a list %s: each is built once for a value", (_, place) => {
    const runs = [0, 1, 2, 3].map((run) => Array.from({ length: 50 }, (_, i) => ({ run, i })));
    const order = Array.from({ length: 200 }, (_, i) => place(i));
    const state = restore([
      forge(
        KEYFRAME,
        ["A", 50, 50, 50, 50],
        runs.map((run) => JSON.stringify(run)),
      ),
      forge(DELTA, ["a", ...order.map((from) => [from, 1])]),
    ]);
    // Each object that is built from the tree has its keys listed.
    const keys = vi.spyOn(Object, "keys");
    const value = state.toValue<object[]>();
    const built = keys.mock.calls.length;
    keys.mockRestore();
    // A run is built once more when its last member comes before others.
    expect(built).toBeLessThanOrEqual(2 * 200);
    expect(value).toEqual(order.map((from) => runs.flat()[from]));
    expect(new Set(value).size).toBe(200);
    expect(snapshot(value).hash).toBe(state.hash);
  });

  it("so a delta that patches a key twice is refused", () => {
    const keyframe = forge(KEYFRAME, 0, ['{"k":1,"l":2}']);
    const patch = ["r", 0];
    expect(() =>
      assemble([keyframe, forge(DELTA, ["o", ["k", patch, "l", patch]], ["3", "4"])]),
    ).not.toThrow();
    expect(() =>
      assemble([keyframe, forge(DELTA, ["o", ["k", patch, "l", patch, "k", patch]], ["3", "4", "5"])]),
    ).toThrow(
      expect.objectContaining({ code: "CKPT_CORRUPT", message: expect.stringContaining("a key twice") }),
    );
  });

  it("so a delta that patches an element twice is refused before it patches anything", () => {
    const keyframe = forge(KEYFRAME, ["A", 200], [list(200)]);
    const patches = Array.from({ length: 500 }, () => [0, ["r", 0]]);
    const delta = forge(
      DELTA,
      ["a", ...patches],
      // Long enough to be kept unparsed until they are needed.
      patches.map((_, i) => JSON.stringify(`${i} ${"x".repeat(80)}`)),
    );
    const records = [keyframe, delta];
    expect(() => assemble(records)).toThrow(expect.objectContaining({ code: "CKPT_CORRUPT" }));
    // The two structures; the keyframe's list stays as it came.
    expect(parsings(() => assemble(records))).toBe(2);
  });

  it("where a record nests large lists around many values of no weight: these are not gone through at each level", () => {
    const empties = 6_000;
    const visits = (depth: number) => {
      const pieces = Array.from({ length: empties }, () => "[]");
      let structure: unknown = ["A", ...pieces.map(() => ["O"])];
      for (let i = 0; i < depth; i++) {
        structure = ["A", structure, -1];
        pieces.push(JSON.stringify("y".repeat(60_000)));
      }
      const state = assemble([forge(KEYFRAME, structure, pieces)]);
      const values = vi.spyOn(Map.prototype, "values");
      expect(() => state.finish("")).toThrow(expect.objectContaining({ code: "CKPT_CORRUPT" }));
      const { length } = values.mock.calls;
      values.mockRestore();
      return length;
    };
    // For each of the 19 levels more, so many as tell that a list is large.
    expect(visits(20) - visits(1)).toBeLessThan((19 * empties) / 2);
  });

  it("so a record of more pieces than values are allowed is refused at the first that is too many", () => {
    const pieces = Array.from({ length: 1_000 }, () => "1");
    const record = forge(KEYFRAME, ["A", -1_000], pieces);
    const sink = assembleBytewise(record, { maxNodes: 100 });
    expect(sink.error).toMatchObject({ code: "CKPT_LIMIT", details: { maxNodes: 100 } });
    expect(record.length - sink.read).toBe(899 * 5);
    expect(() => restore([record], { maxNodes: 1_001 })).not.toThrow();
  });
});

function assembleBytewise(record: Buffer, limits: { maxNodes: number }): { error: unknown; read: number } {
  const sink = new StateAssembler(limits).keyframe();
  for (let i = 0; i < record.length; i++) {
    try {
      sink.push(record.subarray(i, i + 1));
    } catch (error) {
      return { error, read: i + 1 };
    }
  }
  return { error: undefined, read: record.length };
}
