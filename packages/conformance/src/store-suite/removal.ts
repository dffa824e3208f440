import { type CheckpointStore, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../faulty-fs/random.js";
import { codeOf, ids, put, remove, type StoreBench } from "./bench.js";
import { edited, richState } from "./rich-state.js";

/** Removing never breaks what stays. */
export function removal(bench: StoreBench): void {
  describe("removal and lineage", () => {
    bench.closeAfterEach();

    it("removes what it is told, once, and forgets nothing else", async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 5; n++) await store.commit([put("a", n, { n })]);
      await store.commit([remove("a", "a:2", "a:4", "a:99", "a:2")]);
      await bench.beforeAndAfterReopening(store, async (state) => {
        expect(await ids(state, "a")).toEqual(["a:1", "a:3", "a:5"]);
        expect(await state.get("a", "a:2")).toBeUndefined();
        expect(await codeOf(state.load("a", "a:4"))).toBe("CKPT_NOT_FOUND");
        expect(await state.agent("a")).toMatchObject({ count: 3, lastSequence: 5, headId: "a:5" });
      });
    });

    it("takes removing what is not there for no error, of an agent that never wrote too", async () => {
      const store = await bench.open("a", "b");
      await store.commit([remove("a", "a:1")]);
      await store.commit([remove("b")]);
      expect(await store.list("a")).toEqual([]);
    });

    it("removes of the agent that is named, and of no other", async () => {
      const store = await bench.open("a", "b");
      await store.commit([put("a", 1, { n: 1 }, { id: "same" }), put("b", 1, { n: 2 }, { id: "same" })]);
      await store.commit([remove("a", "same")]);
      expect(await ids(store, "a")).toEqual([]);
      expect((await store.load("b", "same")).toValue()).toEqual({ n: 2 });
    });

    it("has no head once the head was removed, until the next put", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 }), put("a", 2, { n: 2 })]);
      await store.commit([remove("a", "a:1")]);
      expect((await store.agent("a"))?.headId).toBe("a:2");
      await store.commit([remove("a", "a:2")]);
      const reopened = await bench.reopen(store, "a");
      expect((await reopened.agent("a"))?.headId).toBeNull();
      await reopened.commit([put("a", 3, { n: 3 })]);
      expect((await reopened.agent("a"))?.headId).toBe("a:3");
    });

    it("takes the id of what was removed for another checkpoint, which compaction keeps apart from it", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 }, { id: "x" }), put("a", 2, { n: 2 }, { id: "y" })]);
      await store.commit([remove("a", "x")]);
      await store.commit([put("a", 3, { n: 3 }, { id: "x" })]);
      await store.commit([remove("a", "y"), put("a", 4, { n: 4 }, { id: "y" })]);
      const check = async (state: CheckpointStore) => {
        expect(await ids(state, "a")).toEqual(["x", "y"]);
        expect((await state.load("a", "x")).toValue()).toEqual({ n: 3 });
        expect((await state.load("a", "y")).toValue()).toEqual({ n: 4 });
        expect((await state.get("a", "y"))?.sequence).toBe(4);
        expect(await state.agent("a")).toMatchObject({ count: 2, lastSequence: 4, headId: "y" });
      };
      await bench.beforeAndAfterReopening(store, check);
      const reopened = await bench.reopen(store);
      await reopened.compact();
      await bench.beforeAndAfterReopening(reopened, check);
    });

    it("restores everything that stays after any removals, compactions and reopenings", async () => {
      const random = new SeededRandom(7);
      let store = await bench.open("a");
      const alive = new Map<string, string>();
      let state = richState(random);
      let previous = snapshot(state);
      for (let n = 1; n <= 150; n++) {
        state = edited(state, random);
        previous = snapshot(state, { previous });
        await store.commit([{ ...put("a", n, null), snapshot: previous }]);
        alive.set(`a:${n}`, previous.hash);
        if (random.chance(0.15)) {
          const gone = [...alive.keys()].filter(() => random.chance(0.3));
          await store.commit([remove("a", ...gone)]);
          for (const id of gone) alive.delete(id);
        }
        if (n % 40 === 0) await store.compact();
        if (n % 60 === 0) store = await bench.reopen(store, "a");
        if (n % 30 !== 0) continue;
        expect(await ids(store, "a")).toEqual([...alive.keys()]);
        for (const [id, hash] of alive)
          expect([id, snapshot((await store.load("a", id)).toValue()).hash]).toEqual([id, hash]);
      }
    });

    it("gives space back by compaction where it does maintenance, while reads and commits go on", async () => {
      const store = await bench.open("a");
      const random = new SeededRandom(3);
      for (let n = 1; n <= 40; n++) await store.commit([put("a", n, { n, bytes: random.bytes(5_000) })]);
      await store.commit([remove("a", ...Array.from({ length: 38 }, (_, i) => `a:${i + 1}`))]);
      const reopened = await bench.reopen(store, "a");
      const compacting = reopened.compact();
      const saving = reopened.commit([put("a", 41, { n: 41 })]);
      expect((await reopened.load("a", "a:39")).toValue()).toMatchObject({ n: 39 });
      await saving;
      const report = await compacting;
      if (reopened.supports.maintenance) expect(report.bytesAfter).toBeLessThan(report.bytesBefore / 2);
      else expect(report.removedFiles).toBe(0);
      const again = await bench.reopen(reopened);
      expect(await ids(again, "a")).toEqual(["a:39", "a:40", "a:41"]);
      for (const n of [39, 40, 41]) expect((await again.load("a", `a:${n}`)).toValue()).toMatchObject({ n });
    });

    it("keeps the parent that a header names, also when the parent is gone", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 }), put("a", 2, { n: 2 })]);
      await store.commit([remove("a", "a:1")]);
      await store.compact();
      const reopened = await bench.reopen(store);
      expect((await reopened.get("a", "a:2"))?.parentId).toBe("a:1");
    });
  });
}
