import { encodeKeyframe, type Snapshot, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { assemble, DELTA, forge, KEYFRAME, restore } from "./forge.js";

const record = (state: Snapshot) => Buffer.concat([...encodeKeyframe(state)]);
const tooDeep = expect.objectContaining({ code: "CKPT_LIMIT" });

/** `value` inside of so many arrays. */
function inArrays(levels: number, value: unknown): unknown {
  let nested = value;
  for (let i = 0; i < levels; i++) nested = [nested];
  return nested;
}

describe("the deepest state that can be saved", () => {
  it.each([
    ["a number", 7],
    ["long binary", Buffer.alloc(300, 1)],
  ])("comes back, with %s at its ground", (_, ground) => {
    const limits = { maxDepth: 40 };
    const levels = typeof ground === "number" ? 40 : 39;
    expect(() => snapshot(inArrays(levels + 1, ground), { limits })).toThrow(tooDeep);
    const state = snapshot(inArrays(levels, ground), { limits });
    const restored = assemble([record(state)], limits).finish(state.hash);
    expect(restored.toValue()).toEqual(inArrays(levels, ground));
  });
});

describe("a limit on depth holds for a value as it does for the frozen tree", () => {
  // Beside so much text a container is large, so that naming the state does not look into what stands in it.
  const beside = JSON.stringify("x".repeat(60_000));
  const nested = (levels: number) => JSON.stringify(inArrays(levels, "x".repeat(600)));
  // By what holds the deep part: the levels above it, and a record with so many levels in it.
  const places: [string, number, (levels: number) => Buffer[]][] = [
    ["a text of its own", 1, (levels) => [forge(KEYFRAME, ["A", -2], [nested(levels), beside])]],
    ["a run", 1, (levels) => [forge(KEYFRAME, ["A", 2, -1], [`[1,${nested(levels)}]`, beside])]],
    [
      "a value of an object",
      1,
      (levels) => [forge(KEYFRAME, ["O", -2], ['["key","text"]', nested(levels), beside])],
    ],
    [
      "a text with tagged values",
      1,
      (levels) => [forge(KEYFRAME, ["A", -2], [`[${nested(levels - 1)},{"$ckpt":"undefined"}]`, beside])],
    ],
    [
      "the content of a tagged value",
      3,
      (levels) => [
        forge(KEYFRAME, ["A", ["O", -1, ["A", -2]]], ['["$ckpt","v"]', '"Set"', nested(levels), beside]),
      ],
    ],
    [
      "a list that a delta opened",
      2,
      (levels) => [
        forge(KEYFRAME, ["A", -1], [`[${nested(levels)},${beside}]`]),
        forge(DELTA, ["a", [0, ["a", [0, 2], -1]]], ["5"]),
      ],
    ],
  ];
  it.each(places)("where the deep part is %s", (_, above, build) => {
    const limits = { maxDepth: 10 };
    expect(restore(build(10 - above), limits).toValue()).toBeDefined();
    const over = () => restore(build(11 - above), limits).toValue();
    expect(over).toThrow(tooDeep);
    expect(() => restore(build(11 - above), limits).root).toThrow(tooDeep);
    expect(restore(build(11 - above), { maxDepth: 11 }).toValue()).toBeDefined();
  });

  it("and brackets in texts and beside each other are no levels", () => {
    const brackets = `\\"${"[{".repeat(50)}\\\\`;
    const value = [{ [brackets]: brackets }, ...Array.from({ length: 60 }, () => [[], {}]), `${brackets}"`];
    const state = restore([forge(KEYFRAME, ["A", -2], [JSON.stringify(value), beside])], { maxDepth: 5 });
    expect(state.toValue<unknown[]>()[0]).toEqual(value);
  });

  it("for any writer with the right hash: a text of a million levels is refused by default", () => {
    const deep = `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`;
    expect(() => restore([forge(KEYFRAME, ["A", -1], [deep])]).toValue()).toThrow(tooDeep);
  });
});
