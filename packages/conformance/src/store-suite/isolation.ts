import { describe, expect, it } from "vitest";
import { event, everything, put, type StoreBench } from "./bench.js";

/** What callers do to what they gave, or were given, changes nothing in the store. */
export function isolation(bench: StoreBench): void {
  describe("isolation", () => {
    bench.closeAfterEach();

    it("copies what it is given", async () => {
      const store = await bench.open("a");
      const metadata = { tags: ["one"], nested: { n: 1 } };
      const value = { list: [1, 2, 3], date: new Date(5), bytes: new Uint8Array(1_000).fill(7) };
      const body = { open: true };
      const entries = [put("a", 1, value, { metadata }), event("a", { kind: "note", topic: "t", body })];
      const committing = store.commit(entries);
      metadata.tags.push("two");
      metadata.nested.n = 2;
      value.list.push(4);
      value.date.setTime(6);
      value.bytes.fill(8);
      body.open = false;
      entries.length = 0;
      await committing;
      expect((await store.get("a", "a:1"))?.metadata).toEqual({ tags: ["one"], nested: { n: 1 } });
      expect((await store.load("a", "a:1")).toValue()).toStrictEqual({
        list: [1, 2, 3],
        date: new Date(5),
        bytes: new Uint8Array(1_000).fill(7),
      });
      expect((await store.agent("a"))?.notes).toEqual({ t: { open: true } });
    });

    it("copies what it is given, also while earlier commits are under way", async () => {
      const store = await bench.open("a");
      const first = store.commit([put("a", 1, { n: 1 })]);
      const metadata = { tags: ["one"] };
      const entries = [put("a", 2, { n: 2 }, { metadata })];
      const second = store.commit(entries);
      const ids = ["a:1"];
      const third = store.commit([{ op: "remove", agentId: "a", ids, reason: "test" }]);
      metadata.tags.push("two");
      entries.length = 0;
      ids[0] = "a:2";
      await Promise.all([first, second, third]);
      expect((await store.list("a")).map(({ id, metadata }) => [id, metadata])).toEqual([
        ["a:2", { tags: ["one"] }],
      ]);
    });

    it("hands out what cannot reach back", async () => {
      const store = await bench.open("a");
      await store.commit([
        put("a", 1, { list: [{ n: 1 }], bytes: new Uint8Array(1_000).fill(7) }, { metadata: { n: 1 } }),
        event("a", { kind: "pinned", checkpointId: "a:1" }),
        event("a", { kind: "guard-begun", guardId: "g", operation: "op", checkpointId: "a:1" }),
        event("a", { kind: "note", topic: "t", body: [1] }),
      ]);
      const before = structuredClone(await everything(store, "a"));
      const handedOut = [
        await store.list("a"),
        await store.get("a", "a:1"),
        await store.agent("a"),
        await store.agents(),
        store.supports,
        (await store.load("a", "a:1")).toValue(),
      ];
      for (const thing of handedOut) spoil(thing);
      expect(await everything(store, "a")).toEqual(before);
      expect(await store.agents()).toEqual(["a"]);
      expect((await bench.open()).supports.durable).toBe(store.supports.durable);
    });

    it("loads frozen snapshots and gives each caller a value of its own", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { list: [{ n: 1 }], map: new Map([["k", { v: 1 }]]) })]);
      const loaded = await store.load("a", "a:1");
      expect(Object.isFrozen(loaded.root)).toBe(true);
      const [one, two] = [
        loaded.toValue<{ list: { n: number }[] }>(),
        loaded.toValue<{ list: { n: number }[] }>(),
      ];
      one.list[0]!.n = 2;
      expect(two.list[0]!.n).toBe(1);
    });
  });
}

/** Overwrites everything that can be overwritten, as deep as it goes. */
function spoil(thing: unknown): void {
  if (typeof thing !== "object" || thing === null) return;
  if (ArrayBuffer.isView(thing)) {
    new Uint8Array(thing.buffer, thing.byteOffset, thing.byteLength).fill(0);
    return;
  }
  for (const key of Object.keys(thing)) {
    const value: unknown = Reflect.get(thing, key);
    spoil(value);
    if (typeof value !== "object") Reflect.set(thing, key, typeof value === "boolean" ? !value : "spoiled");
  }
  if (Array.isArray(thing) && !Object.isFrozen(thing)) thing.length = 0;
}
