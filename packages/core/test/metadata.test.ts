import { captureMetadata, freezeJson } from "@ckpt/core";
import { describe, expect, it } from "vitest";

class Labels extends Array<string> {}
const withProperty = Object.assign(["a"], { note: "lost" });
const inheriting = Object.create(Object.assign(Object.create(null), { inherited: 1 }));
const refusal = (metadata: unknown) => {
  try {
    captureMetadata(metadata);
  } catch (error) {
    const { code, details } = error as { code: string; details: { path: string } };
    return [code, details.path];
  }
  return undefined;
};

describe("metadata", () => {
  it.each([
    ["an array with properties of its own", { a: withProperty }, "$.a"],
    ["an array with a hole", { a: Object.assign(Array(3), { 0: 1, 2: 2 }) }, "$.a[1]"],
    ["an array with a symbol", { a: Object.assign([1], { [Symbol("s")]: 1 }) }, "$.a"],
    ["an array of a class", { a: [Labels.of("x")] }, "$.a[0]"],
    ["an object that inherits keys", { a: inheriting }, "$.a"],
    ["a hidden property", { a: Object.defineProperty({}, "b", { value: 1 }) }, "$.a.b"],
  ])("with %s is refused by its path: a copy would lose something", (_, metadata, path) => {
    expect(refusal(metadata)).toEqual(["CKPT_INVALID_ARGUMENT", path]);
  });

  it("runs no getter, of an object or an array", () => {
    let ran = 0;
    const get = () => ++ran;
    const array = Object.defineProperty([0, 0], 1, { get, enumerable: true });
    expect(refusal({ array })).toEqual(["CKPT_INVALID_ARGUMENT", "$.array[1]"]);
    const object = Object.defineProperty({}, "key", { get, enumerable: true });
    expect(refusal({ object })).toEqual(["CKPT_INVALID_ARGUMENT", "$.object.key"]);
    expect(ran).toBe(0);
  });

  it("that holds itself is refused as a cycle, at the first place where it does", () => {
    const cycle: Record<string, unknown> = { a: {} };
    (cycle.a as Record<string, unknown>).b = [1, cycle];
    expect(refusal({ top: cycle })).toEqual(["CKPT_INVALID_ARGUMENT", "$.top.a.b[1]"]);
    const wide: unknown[] = Array(30_000).fill(0);
    wide.push(wide);
    expect(refusal({ wide })).toEqual(["CKPT_INVALID_ARGUMENT", "$.wide[30000]"]);
  });

  it("that is only deep, or only much, is over a limit", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 64; i++) deep = [deep];
    expect(refusal({ deep })?.[0]).toBe("CKPT_LIMIT");
    expect(captureMetadata({ deep: (deep as unknown[])[0] })).toEqual({ deep: (deep as unknown[])[0] });
    expect(refusal({ much: Array(100_000).fill(0) })?.[0]).toBe("CKPT_LIMIT");
  });

  it("takes the same object at several places, and objects without a prototype", () => {
    const shared = { n: 1 };
    const bare = Object.assign(Object.create(null), { list: [shared, shared] });
    expect(freezeJson(bare, "note")).toEqual({ list: [{ n: 1 }, { n: 1 }] });
  });
});
