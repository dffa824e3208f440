import type { CheckpointStore } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { codeOf, ids, put, type StoreBench } from "./bench.js";

/** Every method, as a call that would work on an open store. */
const METHODS: Record<string, (store: CheckpointStore) => unknown> = {
  commit: (store) => store.commit([put("a", 9, { n: 9 })]),
  "commit of nothing": (store) => store.commit([]),
  list: (store) => store.list("a"),
  get: (store) => store.get("a", "a:1"),
  load: (store) => store.load("a", "a:1"),
  agent: (store) => store.agent("a"),
  agents: (store) => store.agents(),
  acquire: (store) => store.acquire("b"),
  verify: (store) => store.verify()[Symbol.asyncIterator]().next(),
  compact: (store) => store.compact(),
  takeFindings: (store) => store.takeFindings(),
};

/** Every method on a closed store, and on one that is closing. */
export function closed(bench: StoreBench): void {
  describe("a closed store", () => {
    bench.closeAfterEach();

    for (const [method, call] of Object.entries(METHODS)) {
      it(`refuses ${method}, when closed and when closing`, async () => {
        const store = await bench.open("a");
        await store.commit([put("a", 1, { n: 1 })]);
        const closing = store.close();
        expect(await codeOf(async () => call(store))).toBe("CKPT_CLOSED");
        await closing;
        expect(await codeOf(async () => call(store))).toBe("CKPT_CLOSED");
      });
    }

    it("can be closed again, and by several at once", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      await Promise.all([store.close(), store.close()]);
      await store.close();
    });

    it("can be closed when nothing was ever done with it", async () => {
      const store = await bench.open();
      await store.close();
      expect(await codeOf(store.agents())).toBe("CKPT_CLOSED");
    });

    it("finishes what was called before it was closed", async () => {
      const store = await bench.open("a");
      const commits = Array.from({ length: 20 }, (_, i) => store.commit([put("a", i + 1, { n: i + 1 })]));
      const closing = store.close();
      const outcomes = await Promise.allSettled(commits);
      await closing;
      expect(outcomes.map((outcome) => outcome.status)).toEqual(Array(20).fill("fulfilled"));
      if (!store.supports.durable) return;
      const reopened = await bench.reopen(store);
      expect((await ids(reopened, "a")).length).toBe(20);
    });

    it("lets a lease be released afterwards", async () => {
      const store = await bench.open();
      const lease = await store.acquire("a");
      await store.close();
      await lease.release();
    });
  });
}
