import { describe, expect, it } from "vitest";
import { codeOf, ids, put, type StoreBench } from "./bench.js";

/** One writer per agent. */
export function leases(bench: StoreBench): void {
  describe("leases", () => {
    bench.closeAfterEach();

    it("are given to one at a time; the second learns who holds the agent", async () => {
      const store = await bench.open();
      const lease = await store.acquire("a");
      expect(lease.agentId).toBe("a");
      const error = await store.acquire("a").catch((e: unknown) => e);
      expect(error).toMatchObject({ code: "CKPT_LOCKED", details: { holder: expect.anything() } });
      const other = await store.acquire("b");
      await lease.release();
      const next = await store.acquire("a");
      expect(next.epoch).toBeGreaterThan(lease.epoch);
      for (const held of [other, next]) await held.release();
    });

    it("can be released more than once, and then take nothing from the next holder", async () => {
      const store = await bench.open();
      const first = await store.acquire("a");
      await first.release();
      const second = await store.acquire("a");
      await first.release();
      expect(await codeOf(store.acquire("a"))).toBe("CKPT_LOCKED");
      await store.commit([put("a", 1, { n: 1 })]);
      await second.release();
    });

    it("stamp their epoch on what is written under them where they are enforced, and raise it over every reopening", async () => {
      const store = await bench.open();
      const lease = await store.acquire("a");
      const [first] = (await store.commit([put("a", 1, { n: 1 })])).headers;
      if (!store.supports.leases) return expect(first!.epoch).toBeGreaterThanOrEqual(0);
      expect(first!.epoch).toBe(lease.epoch);
      await lease.release();
      const reopened = await bench.reopen(store);
      const later = await reopened.acquire("a");
      const [second] = (await reopened.commit([put("a", 2, { n: 2 })])).headers;
      expect(later.epoch).toBeGreaterThan(lease.epoch);
      expect(second!.epoch).toBe(later.epoch);
      expect((await reopened.get("a", "a:1"))?.epoch).toBe(lease.epoch);
      await later.release();
    });

    it("are asked for by commits where they are enforced", async () => {
      const store = await bench.open("mine");
      const alone = store.commit([put("a", 1, { n: 1 })]);
      const mixed = store.commit([put("mine", 1, { n: 1 }), put("b", 1, { n: 1 })]);
      if (store.supports.leases) {
        expect(await codeOf(alone)).toMatch(/^CKPT_(LOCKED|FENCED)$/);
        expect(await codeOf(mixed)).toMatch(/^CKPT_(LOCKED|FENCED)$/);
        expect(await ids(store, "mine")).toEqual([]);
      } else {
        await Promise.all([alone, mixed]);
        expect(await ids(store, "mine")).toEqual(["mine:1"]);
      }
    });

    it("end with their release: a commit afterwards is refused where they are enforced", async () => {
      const store = await bench.open();
      const lease = await store.acquire("a");
      await store.commit([put("a", 1, { n: 1 })]);
      await lease.release();
      const after = await codeOf(store.commit([put("a", 2, { n: 2 })]));
      if (store.supports.leases) expect(after).toMatch(/^CKPT_(LOCKED|FENCED)$/);
      else expect(after).toBe("none");
    });

    it("are free again when the store is closed", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      if (!store.supports.durable) {
        await store.close();
        return;
      }
      const reopened = await bench.reopen(store, "a");
      await reopened.commit([put("a", 2, { n: 2 })]);
      expect(await ids(reopened, "a")).toEqual(["a:1", "a:2"]);
    });

    it("are not needed to read", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      const reopened = await bench.reopen(store);
      expect((await reopened.load("a", "a:1")).toValue()).toEqual({ n: 1 });
      expect((await reopened.agent("a"))?.headId).toBe("a:1");
    });

    if (bench.subject.openBeside === undefined) return;

    it("hold between writers on one place", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      const beside = await bench.openBeside(store);
      expect((await beside.load("a", "a:1")).toValue()).toEqual({ n: 1 });
      if (!store.supports.leases) return;
      expect(await codeOf(beside.acquire("a"))).toBe("CKPT_LOCKED");
      expect(await codeOf(beside.commit([put("a", 2, { n: "theirs" })]))).toMatch(/^CKPT_(LOCKED|FENCED)$/);
      await bench.acquire(beside, "b");
      await Promise.all([store.commit([put("a", 2, { n: 2 })]), beside.commit([put("b", 1, { n: 1 })])]);
      await store.close();
      await bench.acquire(beside, "a");
      expect((await beside.load("a", "a:2")).toValue()).toEqual({ n: 2 });
      await beside.commit([put("a", 3, { n: 3 })]);
      const reopened = await bench.reopen(beside);
      expect(await ids(reopened, "a")).toEqual(["a:1", "a:2", "a:3"]);
      expect(await ids(reopened, "b")).toEqual(["b:1"]);
    });
  });
}
