import { type CheckpointManager, MemoryStore } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener, rejection } from "./bench.js";

/** What a manager refuses, and that nothing of it is left. */
export function refusals(subject: ManagerUnderTest): void {
  describe("refusals", () => {
    const open = opener(subject);

    it("refuse a state that cannot come back exactly, say where, and leave what was there as it was", async () => {
      const manager = await open<unknown>({ sessionId: "s" });
      const first = await manager.create("a", { n: 1 });
      const circle: { self?: unknown } = {};
      circle.self = circle;
      const refused: Record<string, unknown> = {
        "a function": { in: { here: () => 1 } },
        "a symbol": { in: { here: Symbol("s") } },
        "an instance of a class": { in: { here: new (class Own {})() } },
        "a circle": { in: { here: circle } },
        // biome-ignore lint/suspicious/noSparseArray: this is what is refused.
        "a hole": { in: { here: [1, , 3] } },
      };
      for (const [what, state] of Object.entries(refused)) {
        const { code, error } = await rejection(manager.create("a", state));
        expect([what, code]).toEqual([what, "CKPT_REFUSED_STATE"]);
        expect(String((error as { details?: { path?: unknown } }).details?.path)).toContain("in.here");
      }
      expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:1"]);
      const next = await manager.create("a", { n: 2 });
      expect(next.parentId).toBe(first.id);
      expect(next.sequence).toBeGreaterThan(first.sequence);
    });

    it("refuse names and metadata that are not of the documented shape", async () => {
      const manager = await open<number>({ sessionId: "s" });
      for (const name of ["", "x".repeat(201), "two\nlines", "\ud800"])
        expect([name, (await rejection(manager.create(name, 1))).code]).toEqual([name, "CKPT_INVALID_ID"]);
      const date = { at: new Date(0) } as never;
      expect((await rejection(manager.create("a", 1, date))).code).toBe("CKPT_INVALID_ARGUMENT");
      expect(await manager.length).toBe(0);
    });

    it("refuse the writes of a second manager on a session, which may read, until the first is closed", async () => {
      const store = new MemoryStore();
      const first = await open<number>({ sessionId: "s", store });
      await first.create("a", 1);
      // A manager that takes no store has passed the option over.
      if ((await store.list("s")).length === 0) return;
      const second = await open<number>({ sessionId: "s", store });
      expect(await (await second.getLatest())?.data()).toBe(1);
      const writes: Record<string, (manager: CheckpointManager<number>) => Promise<unknown>> = {
        create: (manager) => manager.create("a", 2),
        rollbackTo: (manager) => manager.rollbackTo("s:1"),
        remove: (manager) => manager.remove("s:1"),
        pin: (manager) => manager.pin("s:1"),
      };
      for (const [name, write] of Object.entries(writes)) {
        const { code, error } = await rejection(write(second));
        expect([name, code]).toEqual([name, "CKPT_LOCKED"]);
        expect((error as { details?: { holder?: unknown } }).details?.holder).toBeDefined();
      }
      await first.create("a", 2);
      await first.close();
      expect((await second.create("a", 3)).id).toBe("s:3");
      expect((await second.getAll()).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
      await second.close();
      // A store that was given stays open.
      expect((await store.list("s")).length).toBe(3);
    });
  });
}
