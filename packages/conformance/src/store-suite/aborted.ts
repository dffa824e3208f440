import { describe, expect, it } from "vitest";
import { codeOf, everything, put, remove, type StoreBench } from "./bench.js";

/** Every method that takes a signal, with one that fired. */
export function aborted(bench: StoreBench): void {
  describe("an aborted call", () => {
    bench.closeAfterEach();

    it("rejects with CKPT_ABORTED and changes nothing", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      const before = await everything(store, "a");
      const signal = AbortSignal.abort(new Error("enough"));
      const verify = async () => {
        for await (const _ of store.verify({ signal }));
      };
      expect(await codeOf(store.commit([put("a", 2, { n: 2 })], { signal }))).toBe("CKPT_ABORTED");
      expect(await codeOf(store.load("a", "a:1", { signal }))).toBe("CKPT_ABORTED");
      expect(await codeOf(store.compact({ signal }))).toBe("CKPT_ABORTED");
      expect(await codeOf(verify())).toBe("CKPT_ABORTED");
      const reopened = await bench.reopen(store, "a");
      expect(await everything(reopened, "a")).toEqual(before);
      await reopened.commit([put("a", 2, { n: 2 })]);
    });

    it("leaves everything as it was when it was to compact, and keeps no other from compacting", async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 30; n++) await store.commit([put("a", n, { n, text: `${n} `.repeat(2_000) })]);
      await store.commit([remove("a", ...Array.from({ length: 20 }, (_, i) => `a:${i + 1}`))]);
      let state = await bench.reopen(store, "a");
      const before = await everything(state, "a");
      for (let turns = 0; turns < 12; turns++) {
        const controller = new AbortController();
        const compacting = codeOf(state.compact({ signal: controller.signal }));
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        expect(["none", "CKPT_ABORTED"]).toContain(await compacting);
        if (turns % 4 === 3) state = await bench.reopen(state, "a");
        expect((await everything(state, "a")).states).toEqual(before.states);
      }
      await state.compact();
      expect((await everything(await bench.reopen(state), "a")).states).toEqual(before.states);
    });

    it("is all or nothing when the signal fires in the midst of it", async () => {
      const store = await bench.open("a");
      const outcomes: boolean[] = [];
      for (let n = 1; n <= 20; n++) {
        const controller = new AbortController();
        const batch = [put("a", 2 * n - 1, { n, text: "x".repeat(20_000) }), put("a", 2 * n, { n })];
        const committing = codeOf(store.commit(batch, { signal: controller.signal }));
        for (let turns = n % 5; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        const code = await committing;
        expect(["none", "CKPT_ABORTED"]).toContain(code);
        outcomes.push(code === "none");
      }
      const expected = outcomes.flatMap((done, i) => (done ? [2 * i + 1, 2 * i + 2] : []));
      expect((await store.list("a")).map((header) => header.sequence)).toEqual(expected);
      const reopened = await bench.reopen(store);
      expect((await reopened.list("a")).map((header) => header.sequence)).toEqual(expected);
    });
  });
}
