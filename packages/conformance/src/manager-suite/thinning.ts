import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener } from "./bench.js";

/** maxCheckpoints and compressAfter. */
export function thinning(subject: ManagerUnderTest): void {
  if (!subject.thins) return;
  describe("thinning", () => {
    const open = opener(subject);
    const sequences = async (history: { getAll(): Promise<{ sequence: number }[]> }) =>
      (await history.getAll()).map(({ sequence }) => sequence);
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

    it("compresses to the first, the last 20 and the latest of each name in between", async () => {
      const manager = await open({ compressAfter: 50 });
      for (let i = 1; i <= 51; i++) await manager.create(`name ${i % 3}`, i);
      // Between 1 and the last twenty (32..51): the latest of each of the three names.
      expect(await sequences(manager)).toEqual([1, 29, 30, 31, ...range(32, 51)]);
    });

    it("former defect: compressAfter below 21 does not duplicate the first checkpoint", async () => {
      const manager = await open({ compressAfter: 5 });
      for (let i = 1; i <= 21; i++) await manager.create("a", i);
      expect(await sequences(manager)).toEqual(range(1, 21));
      await manager.create("a", 22);
      // The middle is one checkpoint, the latest of its name.
      expect(await sequences(manager)).toEqual(range(1, 22));
      await manager.create("a", 23);
      expect(await sequences(manager)).toEqual([1, ...range(3, 23)]);
      expect(await manager.length).toBe(22);
    });

    it("former defect: maxCheckpoints is enforced, the oldest go first", async () => {
      const manager = await open({ maxCheckpoints: 5, compressAfter: Number.POSITIVE_INFINITY });
      for (let i = 1; i <= 12; i++) await manager.create("a", i);
      expect(await sequences(manager)).toEqual(range(8, 12));
    });

    it("keeps the numbers right when many saves are called at once", async () => {
      const manager = await open({ maxCheckpoints: 7, compressAfter: Number.POSITIVE_INFINITY });
      await Promise.all(range(1, 40).map((i) => manager.create("a", i)));
      expect(await sequences(manager)).toEqual(range(34, 40));
    });

    it("never removes the head or a pinned checkpoint by a rule", async () => {
      const manager = await open<number>({ sessionId: "s", maxCheckpoints: 2, compressAfter: 0 });
      await manager.create("a", 1);
      await manager.pin("s:1");
      for (let i = 2; i <= 30; i++) await manager.create("a", i);
      expect(await sequences(manager)).toEqual([1, 30]);
      await manager.unpin("s:1");
      await manager.create("a", 31);
      expect(await sequences(manager)).toEqual([30, 31]);
    });

    it("tells what was pruned, and why", async () => {
      const manager = await open({ sessionId: "s", maxCheckpoints: 2 });
      const pruned: unknown[] = [];
      manager.on("pruned", (event) => pruned.push(event));
      for (let i = 1; i <= 3; i++) await manager.create("a", i);
      expect(pruned).toEqual([{ ids: ["s:1"], reason: "maxCheckpoints" }]);
    });
  });
}
