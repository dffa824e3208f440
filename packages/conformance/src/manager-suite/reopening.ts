import type { CheckpointManager } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener } from "./bench.js";

const keepAll = {
  maxCheckpoints: Number.POSITIVE_INFINITY,
  compressAfter: Number.POSITIVE_INFINITY,
} as const;

/** What a manager finds again after it was closed. Declared where the subject can reopen. */
export function reopening(subject: ManagerUnderTest): void {
  const { reopen } = subject;
  if (reopen === undefined) return;
  describe("reopening", () => {
    const open = opener(subject);
    const again = async <State>(former: CheckpointManager<State>) => {
      await former.close();
      return reopen<State>(former, { sessionId: former.agentId, ...keepAll });
    };

    it("finds every checkpoint again, with its state, name, metadata and time", async () => {
      const manager = await open<unknown>({ sessionId: "s", ...keepAll });
      const states = [{ n: 1 }, [new Date(5), 2n ** 70n], "text", new Map([["k", new Uint8Array(3_000)]])];
      for (const [i, state] of states.entries()) await manager.create(`name ${i % 2}`, state, { i });
      const before = (await manager.getAll()).map((checkpoint) => checkpoint.toJSON());
      const later = await again(manager);
      try {
        const after = await later.getAll();
        expect(after.map((checkpoint) => checkpoint.toJSON())).toEqual(before);
        for (const [i, checkpoint] of after.entries())
          expect(await checkpoint.data()).toStrictEqual(states[i]);
      } finally {
        await later.close();
      }
    });

    it("goes on from the head, also when that is the result of a rollback", async () => {
      const manager = await open<number>({ sessionId: "s", ...keepAll });
      for (let n = 1; n <= 3; n++) await manager.create("step", n);
      await manager.rollbackTo("s:1");
      const later = await again(manager);
      try {
        const next = await later.create("step", 4);
        expect(next.parentId).toBe("s:1");
        expect(next.sequence).toBeGreaterThan(3);
      } finally {
        await later.close();
      }
    });

    it("never uses a number again, also after everything was cleared", async () => {
      const manager = await open<number>({ sessionId: "s", ...keepAll });
      for (let n = 1; n <= 3; n++) await manager.create("step", n);
      await manager.clear();
      const later = await again(manager);
      try {
        expect(await later.length).toBe(0);
        expect((await later.create("step", 4)).sequence).toBeGreaterThan(3);
      } finally {
        await later.close();
      }
    });

    if (subject.thins)
      it("keeps what was pinned from its rules, until it is unpinned", async () => {
        const rules = { sessionId: "s", maxCheckpoints: 2, compressAfter: Number.POSITIVE_INFINITY };
        const manager = await open<number>(rules);
        for (let n = 1; n <= 2; n++) await manager.create("step", n);
        for (const id of ["s:1", "s:2"]) await manager.pin(id);
        await manager.unpin("s:2");
        await manager.close();
        const later = await reopen<number>(manager, rules);
        try {
          for (let n = 3; n <= 5; n++) await later.create("step", n);
          expect((await later.getAll()).map(({ sequence }) => sequence)).toEqual([1, 5]);
        } finally {
          await later.close();
        }
      });

    it("says durable of what it finds again", async () => {
      const manager = await open<number>({ sessionId: "s", ...keepAll });
      expect((await manager.create("step", 1)).durability).toBe("durable");
      const later = await again(manager);
      expect(await (await later.getLatest())?.data()).toBe(1);
      await later.close();
    });
  });
}
