import { describe, expect, it } from "vitest";
import { codeOf, event, ids, put, remove, type StoreBench } from "./bench.js";

/** Many calls at once. */
export function concurrency(bench: StoreBench): void {
  describe("concurrency", () => {
    bench.closeAfterEach();

    it("keeps every commit of eight agents that write at once", async () => {
      const agents = Array.from({ length: 8 }, (_, i) => `agent-${i}`);
      const store = await bench.open(...agents);
      const commits = Array.from({ length: 30 }, (_, i) => i + 1).flatMap((n) =>
        agents.map((agentId) => store.commit([put(agentId, n, { agentId, n, text: "x".repeat(n * 50) })])),
      );
      await Promise.all(commits);
      const reopened = await bench.reopen(store);
      expect(await reopened.agents()).toEqual(agents);
      for (const agentId of agents) {
        const headers = await reopened.list(agentId);
        expect(headers.map((header) => header.sequence)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
        for (const { id, sequence } of headers) {
          expect((await reopened.load(agentId, id)).toValue()).toMatchObject({ agentId, n: sequence });
        }
      }
    });

    it("never shows a reader half a batch", async () => {
      const store = await bench.open("a");
      let done = false;
      const write = async () => {
        for (let n = 1; n <= 120; n += 2)
          await store.commit([put("a", n, { n }), put("a", n + 1, { n: n + 1 })]);
        done = true;
      };
      const read = async () => {
        while (!done) {
          const headers = await store.list("a");
          expect(headers.length % 2).toBe(0);
          const newest = headers.at(-1);
          if (newest !== undefined) {
            expect((await store.load("a", newest.id)).toValue()).toEqual({ n: newest.sequence });
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await Promise.all([write(), read(), read()]);
    });

    it("shows a commit to every read that begins after it resolved", async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 20; n++) {
        await store.commit([put("a", n, { n })]);
        expect((await store.list("a", { reverse: true, limit: 1 }))[0]?.sequence).toBe(n);
        expect((await store.get("a", `a:${n}`))?.sequence).toBe(n);
        expect((await store.agent("a"))?.headId).toBe(`a:${n}`);
      }
    });

    it("lets loads, removals, verification and compaction overlap", async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 40; n++) await store.commit([put("a", n, { n, text: "y".repeat(2_000) })]);
      const found: unknown[] = [];
      const verify = async () => {
        for await (const finding of store.verify()) found.push(finding);
      };
      const loads = [35, 36, 37, 38, 39, 40].map((n) => store.load("a", `a:${n}`));
      const removals = Array.from({ length: 30 }, (_, i) => store.commit([remove("a", `a:${i + 1}`)]));
      await Promise.all([verify(), store.compact(), ...removals, ...loads]);
      for (const [i, load] of loads.entries()) expect((await load).toValue()).toMatchObject({ n: 35 + i });
      expect(found).toEqual([]);
      expect(await ids(store, "a")).toEqual(Array.from({ length: 10 }, (_, i) => `a:${i + 31}`));
    });

    if (bench.subject.openBeside === undefined) return;

    it("lets others read whole states while one writes", async () => {
      const store = await bench.open("a");
      await store.commit([put("a", 1, { n: 1 })]);
      const beside = await bench.openBeside(store);
      let highest = 0;
      for (let n = 2; n <= 40; n++) {
        const saving = store.commit([put("a", n, { n, text: "z".repeat(n * 100) })]);
        const newest = (await beside.list("a", { reverse: true, limit: 1 }))[0];
        expect(newest!.sequence).toBeGreaterThanOrEqual(highest);
        highest = newest!.sequence;
        expect((await beside.load("a", newest!.id)).toValue()).toMatchObject({ n: highest });
        await saving;
      }
    });

    it("shows others each commit as soon as it resolved: saves, facts and removals", async () => {
      const store = await bench.open("a");
      const beside = await bench.openBeside(store);
      expect(await beside.agents()).toEqual([]);
      for (let n = 1; n <= 20; n++) {
        await store.commit([put("a", n, { n }), event("a", { kind: "note", topic: "t", body: n })]);
        expect((await beside.get("a", `a:${n}`))?.sequence).toBe(n);
        expect(await beside.agent("a")).toMatchObject({ headId: `a:${n}`, notes: { t: n } });
        expect(await beside.agents()).toEqual(["a"]);
        await store.commit([remove("a", `a:${n - 1}`)]);
        expect(await ids(beside, "a")).toEqual([`a:${n}`]);
        expect(await codeOf(beside.load("a", `a:${n - 1}`))).toBe("CKPT_NOT_FOUND");
      }
    });

    it("lets others read what stays while one removes and compacts", async () => {
      const store = await bench.open("a");
      for (let n = 1; n <= 30; n++) await store.commit([put("a", n, { n, text: "w".repeat(3_000) })]);
      const beside = await bench.openBeside(store);
      let done = false;
      const maintain = async () => {
        for (let n = 1; n <= 24; n += 6) {
          await store.commit([remove("a", ...Array.from({ length: 6 }, (_, i) => `a:${n + i}`))]);
          await store.compact();
        }
        done = true;
      };
      const read = async () => {
        while (!done) {
          for (let n = 25; n <= 30; n++)
            expect((await beside.load("a", `a:${n}`)).toValue()).toMatchObject({ n });
          expect((await ids(beside, "a")).slice(-6)).toEqual([25, 26, 27, 28, 29, 30].map((n) => `a:${n}`));
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await Promise.all([maintain(), read()]);
      expect(beside.takeFindings()).toEqual([]);
      expect((await ids(beside, "a")).length).toBe(6);
    });
  });
}
