import type { StoreEvent } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { codeOf, event, put, remove, type StoreBench } from "./bench.js";

/** Facts beside the states: head moves, guards, pins, notes. */
export function events(bench: StoreBench): void {
  describe("events", () => {
    bench.closeAfterEach();

    const withThree = async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 3; n++) await store.commit([put("a", n, { n })]);
      const record = (what: StoreEvent) => store.commit([event("a", what)]);
      return { store, record };
    };

    it("move the head, until the next put moves it on", async () => {
      const { store, record } = await withThree();
      await record({ kind: "head", checkpointId: "a:1", reason: "rollback" });
      const reopened = await bench.reopen(store, "a");
      expect(await reopened.agent("a")).toMatchObject({ headId: "a:1", count: 3, lastSequence: 3 });
      await reopened.commit([put("a", 4, { n: 4 }, { parentId: "a:1" })]);
      expect((await reopened.agent("a"))?.headId).toBe("a:4");
    });

    it("open guards and close them, each by its own id", async () => {
      const { store, record } = await withThree();
      for (const [i, guardId] of ["g1", "g2", "__proto__"].entries()) {
        await record({ kind: "guard-begun", guardId, operation: `op ${i}`, checkpointId: `a:${i + 1}` });
      }
      await record({ kind: "guard-done", guardId: "g2", outcome: "undone" });
      await record({ kind: "guard-done", guardId: "unknown", outcome: "completed" });
      await bench.beforeAndAfterReopening(store, async (state) => {
        expect((await state.agent("a"))?.openGuards).toEqual([
          { guardId: "g1", operation: "op 0", checkpointId: "a:1" },
          { guardId: "__proto__", operation: "op 2", checkpointId: "a:3" },
        ]);
      });
    });

    it("pin and unpin, as often as they are told", async () => {
      const { store, record } = await withThree();
      for (const checkpointId of ["a:1", "a:3", "a:1"]) await record({ kind: "pinned", checkpointId });
      await record({ kind: "unpinned", checkpointId: "a:2" });
      expect([...((await store.agent("a"))?.pinnedIds ?? [])].sort()).toEqual(["a:1", "a:3"]);
      await record({ kind: "unpinned", checkpointId: "a:1" });
      const reopened = await bench.reopen(store);
      expect((await reopened.agent("a"))?.pinnedIds).toEqual(["a:3"]);
    });

    it("keep the newest note of each topic, whatever the topic is called", async () => {
      const { store, record } = await withThree();
      const topics = ["place", "__proto__", "constructor", "", "toString"];
      for (const round of [1, 2]) {
        for (const topic of topics)
          await record({ kind: "note", topic, body: { round, topic, list: [null, "ü"] } });
      }
      await bench.beforeAndAfterReopening(store, async (state) => {
        const notes = (await state.agent("a"))!.notes;
        expect(Object.keys(notes).sort()).toEqual([...topics].sort());
        for (const topic of topics) {
          expect(Object.getOwnPropertyDescriptor(notes, topic)?.value).toEqual({
            round: 2,
            topic,
            list: [null, "ü"],
          });
        }
      });
      expect(({} as { round?: number }).round).toBeUndefined();
    });

    it("can be all that an agent has", async () => {
      const store = await bench.open("a");
      await store.commit([event("a", { kind: "note", topic: "t", body: 1 })]);
      const reopened = await bench.reopen(store);
      expect(await reopened.agents()).toEqual(["a"]);
      expect(await reopened.agent("a")).toMatchObject({
        count: 0,
        lastSequence: 0,
        headId: null,
        notes: { t: 1 },
      });
    });

    it("never make a checkpoint the head that is not there", async () => {
      const { store, record } = await withThree();
      await store.commit([remove("a", "a:1")]);
      for (const checkpointId of ["a:1", "a:9"]) await record({ kind: "head", checkpointId, reason: "test" });
      await bench.beforeAndAfterReopening(store, async (state) => {
        expect(await state.agent("a")).toMatchObject({ headId: "a:3", count: 2, lastSequence: 3 });
      });
    });

    it("keep no pin longer than its checkpoint, also when its id comes again", async () => {
      const { store, record } = await withThree();
      for (const checkpointId of ["a:1", "a:2"]) await record({ kind: "pinned", checkpointId });
      await store.commit([remove("a", "a:1")]);
      expect((await store.agent("a"))?.pinnedIds).toEqual(["a:2"]);
      const reopened = await bench.reopen(store, "a");
      expect((await reopened.agent("a"))?.pinnedIds).toEqual(["a:2"]);
      await reopened.commit([put("a", 4, { n: 4 }, { id: "a:1" })]);
      expect((await reopened.agent("a"))?.pinnedIds).toEqual(["a:2"]);
    });

    it("stay undone once they are, through compactions and reopenings between what they say", async () => {
      const { store, record } = await withThree();
      await record({ kind: "guard-begun", guardId: "g", operation: "op", checkpointId: "a:1" });
      await record({ kind: "pinned", checkpointId: "a:1" });
      await record({ kind: "note", topic: "t", body: "old" });
      await record({ kind: "head", checkpointId: "a:1", reason: "rollback" });
      await store.compact();
      // What takes it back stands elsewhere, where a store has several files.
      const second = await bench.reopen(store, "a");
      await second.commit([
        event("a", { kind: "guard-done", guardId: "g", outcome: "completed" }),
        event("a", { kind: "unpinned", checkpointId: "a:1" }),
        event("a", { kind: "note", topic: "t", body: "new" }),
        put("a", 4, { n: 4 }),
      ]);
      await second.compact();
      const third = await bench.reopen(second, "a");
      await third.commit([remove("a", "a:2", "a:4")]);
      await third.compact();
      await bench.beforeAndAfterReopening(third, async (state) => {
        expect(await state.agent("a")).toEqual({
          agentId: "a",
          count: 2,
          lastSequence: 4,
          headId: null,
          openGuards: [],
          pinnedIds: [],
          notes: { t: "new" },
        });
      });
      const fourth = await bench.reopen(third, "a");
      await fourth.compact();
      expect(await codeOf(fourth.commit([put("a", 4, { n: 4 })]))).toBe("CKPT_CONFLICT");
    });

    it("survive removals and compaction as long as they matter", async () => {
      const { store, record } = await withThree();
      await record({ kind: "guard-begun", guardId: "g", operation: "op", checkpointId: "a:2" });
      await record({ kind: "pinned", checkpointId: "a:3" });
      await record({ kind: "note", topic: "t", body: "kept" });
      await record({ kind: "head", checkpointId: "a:2", reason: "test" });
      await store.commit([remove("a", "a:1")]);
      await store.compact();
      const reopened = await bench.reopen(store);
      await reopened.compact();
      const again = await bench.reopen(reopened);
      expect(await again.agent("a")).toEqual({
        agentId: "a",
        count: 2,
        lastSequence: 3,
        headId: "a:2",
        openGuards: [{ guardId: "g", operation: "op", checkpointId: "a:2" }],
        pinnedIds: ["a:3"],
        notes: { t: "kept" },
      });
    });
  });
}
