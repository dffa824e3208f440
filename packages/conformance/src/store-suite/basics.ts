import { describe, expect, it } from "vitest";
import { codeOf, ids, put, type StoreBench } from "./bench.js";

/** Put, list, get, load, agents: one writer, one call after another. */
export function basics(bench: StoreBench): void {
  describe("basics", () => {
    bench.closeAfterEach();

    it("says what it can do", async () => {
      const { supports } = await bench.open();
      expect(Object.keys(supports)).toEqual(
        expect.arrayContaining(["durable", "leases", "fencing", "maintenance"]),
      );
      for (const capability of Object.values(supports)) expect(typeof capability).toBe("boolean");
    });

    it("is empty at first", async () => {
      const store = await bench.open();
      expect(await store.agents()).toEqual([]);
      expect(await store.list("a")).toEqual([]);
      expect(await store.get("a", "a:1")).toBeUndefined();
      expect(await store.agent("a")).toBeUndefined();
      expect(await codeOf(store.load("a", "a:1"))).toBe("CKPT_NOT_FOUND");
      expect(store.takeFindings()).toEqual([]);
    });

    it("gives back a state as it was put, with its hash", async () => {
      const store = await bench.open("a");
      const entry = put("a", 1, { messages: ["hello"], count: 3, nested: { deep: [1, [2, [3]]] } });
      await store.commit([entry]);
      const loaded = await store.load("a", "a:1");
      expect(loaded.toValue()).toStrictEqual(entry.snapshot.toValue());
      expect(loaded.hash).toBe(entry.snapshot.hash);
    });

    it("gives a receipt with the full headers, in the order of the puts, and the durability that it promises", async () => {
      const store = await bench.open("a", "b");
      const entries = [put("a", 1, { n: 1 }), put("b", 1, { n: 2 }), put("a", 2, { n: 3 })];
      const receipt = await store.commit(entries);
      expect(receipt.durability).toBe(store.supports.durable ? "durable" : "volatile");
      expect(receipt.bytesWritten).toBeGreaterThanOrEqual(store.supports.durable ? 1 : 0);
      expect(receipt.headers).toMatchObject(
        entries.map(({ header, snapshot }) => ({ ...header, stateHash: snapshot.hash })),
      );
      for (const header of receipt.headers) {
        expect(header.stateBytes).toBeGreaterThan(0);
        expect(Number.isSafeInteger(header.epoch)).toBe(true);
        expect(await store.get(header.agentId, header.id)).toEqual(header);
      }
    });

    it("keeps every field of a header", async () => {
      const store = await bench.open("a");
      const header = {
        name: "before deploy: №5",
        timestamp: "2024-02-29T23:59:59.123456+05:30",
        parentId: "elsewhere:7",
        metadata: { host: "h1", nested: { list: [1, null, true, "ü"] }, empty: {}, "": 0, __proto__x: 1 },
        schemaVersion: 4,
      };
      const entry = put("a", 1, { n: 1 }, header);
      await store.commit([entry]);
      const reopened = await bench.reopen(store);
      expect(await reopened.get("a", "a:1")).toMatchObject(entry.header);
    });

    it("lists by name, by range of sequences, backwards, and up to a limit", async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 9; n++)
        await store.commit([put("a", n, { n }, { name: n % 3 === 0 ? "third" : "other" })]);
      const all = Array.from({ length: 9 }, (_, i) => `a:${i + 1}`);
      expect(await ids(store, "a")).toEqual(all);
      expect(await ids(store, "a", { reverse: true })).toEqual([...all].reverse());
      expect(await ids(store, "a", { name: "third" })).toEqual(["a:3", "a:6", "a:9"]);
      expect(await ids(store, "a", { name: "none" })).toEqual([]);
      expect(await ids(store, "a", { afterSequence: 7 })).toEqual(["a:8", "a:9"]);
      expect(await ids(store, "a", { beforeSequence: 3 })).toEqual(["a:1", "a:2"]);
      expect(await ids(store, "a", { afterSequence: 2, beforeSequence: 5 })).toEqual(["a:3", "a:4"]);
      expect(await ids(store, "a", { limit: 2 })).toEqual(["a:1", "a:2"]);
      expect(await ids(store, "a", { limit: 2, reverse: true, name: "third" })).toEqual(["a:9", "a:6"]);
      expect(await ids(store, "a", { afterSequence: 3, reverse: true, limit: 1, name: "other" })).toEqual([
        "a:8",
      ]);
      expect(await ids(store, "a", { afterSequence: 9 })).toEqual([]);
      expect(await ids(store, "a", { afterSequence: 4, beforeSequence: 5 })).toEqual([]);
      expect(await ids(store, "a", { limit: 0 })).toEqual([]);
    });

    it("tells agents apart, and lists their ids sorted", async () => {
      const store = await bench.open("b", "a", "c");
      for (const agentId of ["b", "a", "c"])
        await store.commit([put(agentId, 1, { agentId }, { id: "same" })]);
      expect(await store.agents()).toEqual(["a", "b", "c"]);
      for (const agentId of ["a", "b", "c"]) {
        expect((await store.load(agentId, "same")).toValue()).toEqual({ agentId });
        expect(await store.agent(agentId)).toMatchObject({
          agentId,
          count: 1,
          lastSequence: 1,
          headId: "same",
        });
      }
    });

    it("takes an empty batch for what it is", async () => {
      const store = await bench.open("a");
      expect((await store.commit([])).headers).toEqual([]);
      expect(await store.agents()).toEqual([]);
    });

    it("has nothing to report about healthy data", async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 5; n++) await store.commit([put("a", n, { n, text: "x".repeat(n * 1_000) })]);
      const reopened = await bench.reopen(store);
      const findings = [];
      for await (const finding of reopened.verify()) findings.push(finding);
      for await (const finding of reopened.verify({ sample: 0.5 })) findings.push(finding);
      expect(findings).toEqual([]);
      expect(reopened.takeFindings()).toEqual([]);
    });
  });
}
