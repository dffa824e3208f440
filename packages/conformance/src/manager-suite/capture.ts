import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener, rejection } from "./bench.js";

/** What is captured, when, and what is refused. */
export function capture(subject: ManagerUnderTest): void {
  describe("capture", () => {
    const open = opener(subject);

    it("captures state and metadata inside the call, before its promise is returned", async () => {
      const manager = await open<{ items: number[]; when: Date }>();
      const live = { items: [1], when: new Date(5) };
      const metadata = { tags: ["a"] };
      const saving = manager.create("a", live, metadata);
      live.items.push(2);
      live.when.setTime(99);
      metadata.tags[0] = "changed";
      const saved = await saving;
      expect(await saved.data()).toEqual({ items: [1], when: new Date(5) });
      expect(saved.metadata).toEqual({ tags: ["a"] });
    });

    it("hands out a fresh value every time, whose change changes nothing kept", async () => {
      const manager = await open<{ items: number[] }>();
      const saved = await manager.create("a", { items: [1] });
      const one = await saved.data();
      one.items.push(2);
      expect(await saved.data()).toEqual({ items: [1] });
      const back = await manager.rollbackTo(saved.id);
      back?.items.push(3);
      expect(await saved.data()).toEqual({ items: [1] });
    });

    it("gives rich values back as they were", async () => {
      const manager = await open();
      const state = {
        big: 2n ** 80n,
        map: new Map<unknown, unknown>([[{ k: 1 }, new Set([1])]]),
        bytes: new Uint8Array([1, 2, 3]),
        gone: undefined,
        numbers: [Number.NaN, -0, Number.NEGATIVE_INFINITY],
      };
      const saved = await manager.create("rich", state);
      expect(await saved.data()).toStrictEqual(state);
    });

    it("has a frozen snapshot beside the value", async () => {
      const manager = await open<{ items: number[] }>();
      const saved = await manager.create("a", { items: [1] });
      const snapshot = await saved.snapshot();
      expect(snapshot.hash).toBe(saved.stateHash);
      expect(Object.isFrozen(snapshot.root)).toBe(true);
    });

    it("gives the same state the same hash, whatever its metadata", async () => {
      const manager = await open();
      const one = await manager.create("a", { x: [1, 2] }, { at: 1 });
      const two = await manager.create("b", { x: [1, 2] }, { at: 2 });
      const three = await manager.create("c", { x: [2, 1] });
      expect(two.stateHash).toBe(one.stateHash);
      expect(three.stateHash).not.toBe(one.stateHash);
    });

    it.each([
      ["a function", { f: () => 1 }, "f"],
      ["a cycle", cyclic(), "self"],
    ])("refuses %s by its path, and nothing is left behind", async (_, state, key) => {
      const manager = await open<unknown>({ sessionId: "s" });
      await manager.create("before", 1);
      const { code, error } = await rejection(manager.create("bad", state));
      expect(String(code)).toMatch(/^CKPT_/);
      expect(error.message).toContain(key);
      expect(await manager.length).toBe(1);
      const next = await manager.create("after", 2);
      expect(next.parentId).toBe("s:1");
      expect(await manager.length).toBe(2);
    });

    it.each([
      ["undefined", { a: undefined }, "$.a"],
      ["NaN", { a: [1, Number.NaN] }, "$.a[1]"],
      ["a Date", { a: { b: new Date() } }, "$.a.b"],
      ["a bigint", { a: 1n }, "$.a"],
      ["a list", [1], "$"],
      ["a function", { a: () => 1 }, "$.a"],
    ])("refuses %s in metadata, with its path", async (_, metadata, path) => {
      const manager = await open();
      const { code, error } = await rejection(manager.create("a", 1, metadata as never));
      expect(code).toBe("CKPT_INVALID_ARGUMENT");
      expect(error).toMatchObject({ details: { path } });
      expect(await manager.length).toBe(0);
    });

    it("keeps __proto__ as data in state and metadata", async () => {
      const manager = await open<unknown>();
      const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
      const saved = await manager.create("a", hostile, hostile);
      const back = (await saved.data()) as object;
      expect(Object.keys(back)).toEqual(["__proto__", "constructor"]);
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
      expect(Object.keys(saved.metadata)).toEqual(["__proto__", "constructor"]);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    it.each(["", "a\u0000b", "\ud800", "x".repeat(201), "line\nbreak"])(
      "refuses the name %j",
      async (name) => {
        const manager = await open();
        const { code, error } = await rejection(manager.create(name, 1));
        expect(code).toBe("CKPT_INVALID_ID");
        expect(error).toHaveProperty("hint");
        expect(await manager.length).toBe(0);
      },
    );

    it.each(["..", "a/b", "CON", "日本語", "*", "x".repeat(200)])("takes the name %j", async (name) => {
      const manager = await open();
      expect((await manager.create(name, 1)).name).toBe(name);
      expect(await manager.getByName(name)).toHaveLength(1);
    });

    it("is not called when its signal has fired, and says so", async () => {
      const manager = await open();
      const signal = AbortSignal.abort(new Error("enough"));
      const { code, error } = await rejection(manager.create("a", 1, {}, { signal }));
      expect(code).toBe("CKPT_ABORTED");
      expect(error.cause).toBe(signal.reason);
      expect(await manager.length).toBe(0);
    });
  });
}

function cyclic(): unknown {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}
