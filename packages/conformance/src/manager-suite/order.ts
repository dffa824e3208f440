import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener, rejection } from "./bench.js";

/** Order, lineage, rollback, removal and pins. */
export function order(subject: ManagerUnderTest): void {
  describe("order and lineage", () => {
    const open = opener(subject);
    const keepAll = {
      maxCheckpoints: Number.POSITIVE_INFINITY,
      compressAfter: Number.POSITIVE_INFINITY,
    } as const;

    it("keeps calls that overlap in the order in which they were made", async () => {
      const manager = await open<number>({ sessionId: "s", ...keepAll });
      const saved = await Promise.all(Array.from({ length: 50 }, (_, i) => manager.create("step", i)));
      expect(saved.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      expect(await Promise.all(saved.map((checkpoint) => checkpoint.data()))).toEqual(
        Array.from({ length: 50 }, (_, i) => i),
      );
      expect(saved.map(({ parentId }) => parentId)).toEqual([
        null,
        ...Array.from({ length: 49 }, (_, i) => `s:${i + 1}`),
      ]);
    });

    it("orders by sequence when the clock goes back", async () => {
      let now = Date.UTC(2026, 0, 2);
      const manager = await open({ sessionId: "s", clock: () => now });
      await manager.create("a", 1);
      now -= 86_400_000;
      await manager.create("a", 2);
      expect((await manager.getLatest())?.id).toBe("s:2");
      expect((await manager.getByName("a")).map(({ id }) => id)).toEqual(["s:2", "s:1"]);
      expect((await manager.getSummary()).duration_seconds).toBe(-86_400);
    });

    it("rolls back to a state, removes nothing, and continues from there", async () => {
      const manager = await open<{ n: number }>({ sessionId: "s" });
      for (let n = 1; n <= 3; n++) await manager.create("step", { n });
      expect(await manager.rollbackTo("s:1")).toEqual({ n: 1 });
      expect(await manager.length).toBe(3);
      const next = await manager.create("step", { n: 4 });
      expect(next).toMatchObject({ id: "s:4", parentId: "s:1" });
      expect((await manager.create("step", { n: 5 })).parentId).toBe("s:4");
    });

    it("resolves to undefined for a rollback to an unknown id, and the head stays", async () => {
      const manager = await open({ sessionId: "s" });
      await manager.create("a", 1);
      expect(await manager.rollbackTo("s:9")).toBeUndefined();
      expect((await manager.create("a", 2)).parentId).toBe("s:1");
    });

    it("keeps a rollback between the saves around it, all called at once", async () => {
      const manager = await open<number>({ sessionId: "s", ...keepAll });
      await manager.create("a", 1);
      const [, back, after] = await Promise.all([
        manager.create("a", 2),
        manager.rollbackTo("s:2"),
        manager.create("a", 3),
        manager.rollbackTo("s:1"),
      ]);
      expect(back).toBe(2);
      expect(after.parentId).toBe("s:2");
      expect((await manager.create("a", 4)).parentId).toBe("s:1");
    });

    it("clears what was called before it and not what comes after, and never uses a number again", async () => {
      const manager = await open<number>({ sessionId: "s" });
      const [, , count, next] = await Promise.all([
        manager.create("a", 1),
        manager.create("a", 2),
        manager.clear(),
        manager.create("a", 3),
      ]);
      expect(count).toBe(2);
      expect(next).toMatchObject({ id: "s:3", parentId: null });
      expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:3"]);
    });

    it("removes by id, counts what was there, and leaves a handle that says so", async () => {
      const manager = await open<number>({ sessionId: "s" });
      const first = await manager.create("a", 1);
      await manager.create("a", 2);
      expect(await manager.remove(["s:1", "s:7"])).toBe(1);
      expect(await manager.remove("s:1")).toBe(0);
      expect(await manager.length).toBe(1);
      const { code, error } = await rejection(first.data());
      expect(code).toBe("CKPT_NOT_FOUND");
      expect(error).toHaveProperty("hint");
    });

    it("starts a new line when the head was removed", async () => {
      const manager = await open<number>({ sessionId: "s" });
      await manager.create("a", 1);
      await manager.create("a", 2);
      await manager.remove("s:2");
      expect(await manager.create("a", 3)).toMatchObject({ id: "s:3", parentId: null });
    });

    it("refuses to pin what is not there", async () => {
      const manager = await open();
      expect((await rejection(manager.pin("s:1"))).code).toBe("CKPT_NOT_FOUND");
      expect((await rejection(manager.unpin("s:1"))).code).toBe("CKPT_NOT_FOUND");
    });
  });
}
