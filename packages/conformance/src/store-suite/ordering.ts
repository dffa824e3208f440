import { describe, expect, it } from "vitest";
import { codeOf, event, ids, put, remove, type StoreBench } from "./bench.js";

/** Sequence is the order of everything; commits of one agent take effect in the order of the calls. */
export function ordering(bench: StoreBench): void {
  describe("ordering", () => {
    bench.closeAfterEach();

    it("orders by sequence and not by clock, with gaps", async () => {
      const store = await bench.open("a");
      for (const [i, sequence] of [2, 5, 900, 1_000_000].entries()) {
        const timestamp = new Date(1_700_000_000_000 - i * 86_400_000).toISOString();
        await store.commit([put("a", sequence, { sequence }, { timestamp })]);
      }
      const reopened = await bench.reopen(store);
      expect((await reopened.list("a")).map((header) => header.sequence)).toEqual([2, 5, 900, 1_000_000]);
      expect((await reopened.agent("a"))?.lastSequence).toBe(1_000_000);
    });

    it("lets overlapping commits of one agent take effect in the order of the calls", async () => {
      const store = await bench.open("a");
      const commits = Array.from({ length: 60 }, (_, i) => {
        const n = i + 1;
        const text = "x".repeat((n * 7_919) % 5_000);
        if (n % 10 !== 0) return store.commit([put("a", n, { n, text })]);
        return store.commit([event("a", { kind: "head", checkpointId: `a:${n - 5}`, reason: "test" })]);
      });
      await Promise.all(commits);
      const expected = Array.from({ length: 60 }, (_, i) => i + 1).filter((n) => n % 10 !== 0);
      expect((await store.list("a")).map((header) => header.sequence)).toEqual(expected);
      expect((await store.agent("a"))?.headId).toBe("a:55");
      const reopened = await bench.reopen(store);
      expect(await reopened.agent("a")).toMatchObject({ headId: "a:55", lastSequence: 59, count: 54 });
    });

    it("refuses what comes after in the batch of calls only where it conflicts itself", async () => {
      const store = await bench.open("a");
      const results = await Promise.allSettled([
        store.commit([put("a", 1, { n: 1 })]),
        store.commit([put("a", 1, { n: "another" })]),
        store.commit([put("a", 2, { n: 2 })]),
      ]);
      expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await ids(store, "a")).toEqual(["a:1", "a:2"]);
    });

    it("never takes a sequence again, also when what had it is gone", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 3, { n: 3 })]);
      expect(await codeOf(store.commit([put("a", 2, { n: 2 })]))).toBe("CKPT_CONFLICT");
      expect(await codeOf(store.commit([put("a", 3, { n: 3 }, { id: "other" })]))).toBe("CKPT_CONFLICT");
      await store.commit([remove("a", "a:3")]);
      expect(await codeOf(store.commit([put("a", 3, { n: 4 }, { id: "new" })]))).toBe("CKPT_CONFLICT");
      const reopened = await bench.reopen(store, "a");
      expect(await reopened.agent("a")).toMatchObject({ count: 0, lastSequence: 3, headId: null });
      expect(await codeOf(reopened.commit([put("a", 3, { n: 5 }, { id: "newer" })]))).toBe("CKPT_CONFLICT");
      await reopened.commit([put("a", 4, { n: 4 })]);
      expect(await ids(reopened, "a")).toEqual(["a:4"]);
    });

    it("refuses sequences that are no whole number from 1 on", async () => {
      const store = await bench.open("a");
      for (const sequence of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        expect([
          sequence,
          await codeOf(store.commit([put("a", sequence, {}, { id: "x", parentId: null })])),
        ]).toEqual([sequence, expect.stringMatching(/^CKPT_(CONFLICT|INVALID_ARGUMENT)$/)]);
      }
      expect(await store.list("a")).toEqual([]);
    });
  });
}
