import { describe, expect, it } from "vitest";
import { codeOf, event, everything, ids, put, remove, type StoreBench } from "./bench.js";

/** A batch is there whole or not at all. */
export function batches(bench: StoreBench): void {
  describe("atomic batches", () => {
    bench.closeAfterEach();

    it("applies entries of several agents and kinds together", async () => {
      const store = await bench.open("a", "b");
      await store.commit([put("a", 1, { n: 1 }), put("b", 1, { n: 1 })]);
      await store.commit([
        put("a", 2, { n: 2 }),
        remove("b", "b:1"),
        put("b", 2, { n: 2 }),
        event("a", { kind: "guard-begun", guardId: "g", operation: "op", checkpointId: "a:2" }),
        event("b", { kind: "note", topic: "t", body: { x: 1 } }),
      ]);
      const reopened = await bench.reopen(store);
      expect(await ids(reopened, "a")).toEqual(["a:1", "a:2"]);
      expect(await ids(reopened, "b")).toEqual(["b:2"]);
      expect((await reopened.agent("a"))?.openGuards).toEqual([
        { guardId: "g", operation: "op", checkpointId: "a:2" },
      ]);
      expect((await reopened.agent("b"))?.notes).toEqual({ t: { x: 1 } });
    });

    it("applies none of them when one is refused, wherever it stands", async () => {
      const store = await bench.open("a", "b");
      await store.commit([put("a", 1, { n: 1 }), put("b", 1, { n: 1 })]);
      const before = [await everything(store, "a"), await everything(store, "b")];
      const good = [
        put("b", 2, { n: 2 }),
        remove("b", "b:1"),
        event("b", { kind: "note", topic: "t", body: 1 }),
        event("a", { kind: "pinned", checkpointId: "a:1" }),
      ];
      const bad = put("a", 1, { n: "another" });
      for (let i = 0; i <= good.length; i++) {
        const entries = [...good.slice(0, i), bad, ...good.slice(i)];
        expect(await codeOf(store.commit(entries))).toBe("CKPT_CONFLICT");
        expect([await everything(store, "a"), await everything(store, "b")]).toEqual(before);
      }
      const reopened = await bench.reopen(store);
      expect([await everything(reopened, "a"), await everything(reopened, "b")]).toEqual(before);
    });

    it("checks each entry against the ones before it", async () => {
      const store = await bench.open("a");
      expect(await codeOf(store.commit([put("a", 1, { n: 1 }), put("a", 1, { n: 2 })]))).toBe(
        "CKPT_CONFLICT",
      );
      expect(await codeOf(store.commit([put("a", 2, { n: 2 }), put("a", 1, { n: 1 })]))).toBe(
        "CKPT_CONFLICT",
      );
      expect(await store.agent("a")).toBeUndefined();
      await store.commit([put("a", 1, { n: 1 }), remove("a", "a:1"), put("a", 2, { n: 2 })]);
      expect(await ids(store, "a")).toEqual(["a:2"]);
      expect(await store.agent("a")).toMatchObject({ headId: "a:2", lastSequence: 2, count: 1 });
    });

    it("moves the head as its entries say, in their order", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      await store.commit([
        put("a", 2, { n: 2 }),
        event("a", { kind: "head", checkpointId: "a:1", reason: "back" }),
      ]);
      expect((await store.agent("a"))?.headId).toBe("a:1");
      await store.commit([
        event("a", { kind: "head", checkpointId: "a:2", reason: "on" }),
        put("a", 3, { n: 3 }),
      ]);
      const reopened = await bench.reopen(store);
      expect((await reopened.agent("a"))?.headId).toBe("a:3");
    });

    it("takes a batch of a thousand entries", async () => {
      const store = await bench.open("a");
      await store.commit(Array.from({ length: 1_000 }, (_, i) => put("a", i + 1, { n: i + 1 })));
      const reopened = await bench.reopen(store);
      expect((await reopened.list("a")).length).toBe(1_000);
      expect((await reopened.load("a", "a:777")).toValue()).toEqual({ n: 777 });
    });
  });
}
