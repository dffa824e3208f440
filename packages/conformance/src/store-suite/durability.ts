import { describe, expect, it } from "vitest";
import { SeededRandom } from "../faulty-fs/random.js";
import { event, everything, put, remove, type StoreBench } from "./bench.js";

/** What was acknowledged is there after closing and opening again. */
export function durability(bench: StoreBench): void {
  describe("durability", () => {
    bench.closeAfterEach();

    it("is what the receipt says: durable outlives the store, volatile is said beforehand", async () => {
      const store = await bench.open("a");
      const receipt = await store.commit([
        put("a", 1, { n: 1 }),
        event("a", { kind: "pinned", checkpointId: "a:1" }),
      ]);
      expect(receipt.durability).toBe(store.supports.durable ? "durable" : "volatile");
      const before = await everything(store, "a");
      const reopened = await bench.reopen(store);
      expect(await everything(reopened, "a")).toEqual(before);
    });

    it("holds over many openings, each of which goes on where the last one stopped", async () => {
      let store = await bench.open("a");
      for (let n = 1; n <= 15; n++) {
        await store.commit([put("a", n, { n, log: Array.from({ length: n }, (_, i) => `line ${i}`) })]);
        if (n % 4 === 0) await store.commit([remove("a", `a:${n - 2}`)]);
        const before = await everything(store, "a");
        store = await bench.reopen(store, "a");
        expect(await everything(store, "a")).toEqual(before);
      }
    });

    it("holds for a store that is opened, read and closed without writing", async () => {
      let store = await bench.open("a");
      for (let n = 1; n <= 3; n++) await store.commit([put("a", n, { n })]);
      const before = await everything(store, "a");
      for (let i = 0; i < 3; i++) store = await bench.reopen(store);
      expect(await everything(store, "a")).toEqual(before);
      expect(store.takeFindings()).toEqual([]);
    });

    it("holds for a state of several megabytes, binary and text", async () => {
      const store = await bench.open("a");
      const bytes = new SeededRandom(5).bytes(2_500_000);
      const entry = put("a", 1, {
        bytes,
        text: "día ".repeat(400_000),
        list: Array.from({ length: 20_000 }, (_, i) => i),
      });
      await store.commit([entry]);
      const reopened = await bench.reopen(store);
      const loaded = await reopened.load("a", "a:1");
      expect(loaded.hash).toBe(entry.snapshot.hash);
      const value = loaded.toValue<{ bytes: Uint8Array; text: string }>();
      expect(Buffer.compare(value.bytes, bytes)).toBe(0);
      expect(value.text.length).toBe(1_600_000);
    });
  });
}
