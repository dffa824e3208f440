import type { CheckpointStore } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { codeOf, event, ids, put, type StoreBench } from "./bench.js";

async function findingsOf(store: CheckpointStore): Promise<string[]> {
  const affected = store.takeFindings().flatMap((finding) => finding.affectedIds);
  for await (const finding of store.verify()) affected.push(...finding.affectedIds);
  return affected;
}

/** Damaged bytes at rest: never a wrong state, never silence. */
export function damage(bench: StoreBench): void {
  const { subject } = bench;
  if (subject.damage === undefined) return;
  describe("damage", () => {
    bench.closeAfterEach();

    const stateOf = (id: string, i: number) => ({
      i,
      id,
      log: Array.from({ length: i * 20 }, (_, line) => `line ${line} of a log that grows`),
    });

    /** A store of two agents with histories that share structure, reopened after `agentId`'s n-th checkpoint was damaged. */
    const damaged = async (agentId: string, n: number) => {
      const store = await bench.open("a", "b");
      for (let i = 1; i <= 6; i++) {
        for (const id of ["a", "b"]) await store.commit([put(id, i, stateOf(id, i))]);
      }
      await store.commit([event("a", { kind: "pinned", checkpointId: "a:2" })]);
      await bench.reopen(store).then((fresh) => fresh.close());
      await subject.damage!(store, { agentId, id: `${agentId}:${n}` });
      return bench.reopen(store, "a", "b");
    };

    for (const n of [1, 3, 6]) {
      it(`of checkpoint ${n} of 6 costs no listing, no earlier one, no other agent, and is named`, async () => {
        const store = await damaged("a", n);
        expect((await ids(store, "a")).length).toBe(6);
        expect(await store.agent("a")).toMatchObject({ count: 6, lastSequence: 6 });
        const lost: string[] = [];
        for (let i = 1; i <= 6; i++) {
          const code = await codeOf(async () => {
            expect((await store.load("a", `a:${i}`)).toValue()).toMatchObject({ i, id: "a" });
          });
          if (code === "none") continue;
          expect([i, code]).toEqual([i, "CKPT_CORRUPT"]);
          expect(i).toBeGreaterThanOrEqual(n);
          lost.push(`a:${i}`);
        }
        expect(lost).toContain(`a:${n}`);
        for (let i = 1; i <= 6; i++)
          expect((await store.load("b", `b:${i}`)).toValue()).toMatchObject({ i, id: "b" });
        expect(await findingsOf(store)).toEqual(expect.arrayContaining(lost));
      });
    }

    it("leaves the store writable, and what is written afterwards restores", async () => {
      const store = await damaged("a", 6);
      await store.commit([put("a", 7, { i: 7 }), put("b", 7, { i: 7 })]);
      const reopened = await bench.reopen(store, "a");
      for (const id of ["a", "b"]) expect((await reopened.load(id, `${id}:7`)).toValue()).toEqual({ i: 7 });
      expect(await codeOf(reopened.load("a", "a:6"))).toBe("CKPT_CORRUPT");
    });

    it("is mended by the same put once a read has met it, which makes it the head as any other put does", async () => {
      const store = await damaged("a", 4);
      expect(await codeOf(store.load("a", "a:4"))).toBe("CKPT_CORRUPT");
      await store.commit([put("a", 4, stateOf("a", 4))]);
      await bench.beforeAndAfterReopening(store, async (state) => {
        expect((await state.load("a", "a:4")).toValue()).toEqual(stateOf("a", 4));
        expect(await state.agent("a")).toMatchObject({ headId: "a:4", count: 6, lastSequence: 6 });
        expect((await ids(state, "a")).length).toBe(6);
      });
    });

    it("is handed over once", async () => {
      const store = await damaged("b", 2);
      expect(await codeOf(store.load("b", "b:2"))).toBe("CKPT_CORRUPT");
      expect(store.takeFindings().length).toBeGreaterThan(0);
      expect(store.takeFindings()).toEqual([]);
    });
  });
}
