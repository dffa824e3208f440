import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener } from "./bench.js";

/** create, get, getByName, getLatest, getAll, getSince, getBetween, length, iteration, getSummary. */
export function lookups(subject: ManagerUnderTest): void {
  describe("lookups", () => {
    const open = opener(subject);

    /** A clock that goes on by one second per look. */
    const ticking = () => {
      let now = Date.UTC(2026, 0, 31, 9);
      return () => {
        now += 1000;
        return now;
      };
    };

    it("numbers checkpoints per session, and finds each by its id", async () => {
      const manager = await open({ sessionId: "session 1" });
      const first = await manager.create("a", { n: 1 });
      const second = await manager.create("b", { n: 2 }, { label: "x" });
      expect([first.id, second.id]).toEqual(["session 1:1", "session 1:2"]);
      const found = await manager.get("session 1:2");
      expect(found?.name).toBe("b");
      expect(found?.sequence).toBe(2);
      expect(found?.parentId).toBe(first.id);
      expect(found?.metadata).toEqual({ label: "x" });
      expect(await found?.data()).toEqual({ n: 2 });
      expect(await manager.get("session 1:3")).toBeUndefined();
      expect(await manager.get("")).toBeUndefined();
      expect(await manager.get("__proto__")).toBeUndefined();
    });

    it("lists a name newest first, and everything oldest first", async () => {
      const manager = await open({ sessionId: "s" });
      for (const name of ["a", "b", "a", "c", "a"]) await manager.create(name, null);
      expect((await manager.getByName("a")).map(({ id }) => id)).toEqual(["s:5", "s:3", "s:1"]);
      expect(await manager.getByName("none")).toEqual([]);
      expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:1", "s:2", "s:3", "s:4", "s:5"]);
      expect((await manager.getLatest())?.id).toBe("s:5");
      expect((await manager.getLatest("b"))?.id).toBe("s:2");
      expect(await manager.getLatest("none")).toBeUndefined();
      expect(await manager.length).toBe(5);
    });

    it("has nothing in it before the first create", async () => {
      const manager = await open();
      expect(await manager.getLatest()).toBeUndefined();
      expect(await manager.getAll()).toEqual([]);
      expect(await manager.length).toBe(0);
      expect(await manager.clear()).toBe(0);
      expect(await manager.export()).toBe("[]");
      expect(await manager.getSummary()).toEqual({
        total_count: 0,
        unique_names: 0,
        names: {},
        first_checkpoint: null,
        last_checkpoint: null,
        duration_seconds: 0,
      });
    });

    it("finds by time: after an instant, or between two with both ends", async () => {
      const manager = await open({ sessionId: "s", clock: ticking() });
      for (let i = 0; i < 5; i++) await manager.create("tick", i);
      const ids = async (found: Promise<{ id: string }[]>) => (await found).map(({ id }) => id);
      const third = "2026-01-31T09:00:03+00:00";
      expect(await ids(manager.getSince(third))).toEqual(["s:4", "s:5"]);
      expect(await ids(manager.getSince(new Date(third)))).toEqual(["s:4", "s:5"]);
      expect(await ids(manager.getSince(Date.parse(third)))).toEqual(["s:4", "s:5"]);
      expect(await ids(manager.getSince("2026-01-31T10:00:03+01:00"))).toEqual(["s:4", "s:5"]);
      expect(await ids(manager.getSince("2026-01-31T09:00:02.999999+00:00"))).toEqual(["s:3", "s:4", "s:5"]);
      expect(await ids(manager.getBetween("2026-01-31T09:00:02Z", third))).toEqual(["s:2", "s:3"]);
      expect(await ids(manager.getBetween(third, "2026-01-31T09:00:02Z"))).toEqual([]);
    });

    it.each([
      "yesterday",
      "2026-02-30T00:00:00Z",
      "2026-01-31T09:00:00",
      Number.NaN,
      new Date(Number.NaN),
      "",
    ])("refuses %s as a time", async (time) => {
      const manager = await open();
      await expect(manager.getSince(time)).rejects.toMatchObject({ code: "CKPT_INVALID_ARGUMENT" });
      await expect(manager.getBetween(0, time)).rejects.toMatchObject({ code: "CKPT_INVALID_ARGUMENT" });
    });

    it("iterates oldest first through a history longer than a page", async () => {
      const manager = await open<number>({
        sessionId: "s",
        maxCheckpoints: Number.POSITIVE_INFINITY,
        compressAfter: Number.POSITIVE_INFINITY,
      });
      await Promise.all(Array.from({ length: 600 }, (_, i) => manager.create("step", i)));
      const seen: number[] = [];
      for await (const checkpoint of manager) seen.push(checkpoint.sequence);
      expect(seen).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
    });

    it("sums up in the reference's shape, with fractions of a second", async () => {
      let now = Date.UTC(2026, 0, 31, 9);
      const manager = await open({ sessionId: "s", clock: () => now });
      await manager.create("start", { n: 1 }, { by: "me" });
      now += 250;
      await manager.create("__proto__", { n: 2 });
      now += 1000;
      await manager.create("start", { n: 3 });
      const summary = await manager.getSummary();
      expect(summary).toMatchObject({ total_count: 3, unique_names: 2, duration_seconds: 1.25 });
      expect(Object.entries(summary.names)).toEqual([
        ["start", 2],
        ["__proto__", 1],
      ]);
      expect(summary.first_checkpoint).toEqual({
        id: "s:1",
        name: "start",
        timestamp: "2026-01-31T09:00:00+00:00",
        data: { n: 1 },
        metadata: { by: "me" },
      });
      expect(summary.last_checkpoint).toMatchObject({
        id: "s:3",
        timestamp: "2026-01-31T09:00:01.250000+00:00",
      });
    });

    it("gives a handle whose JSON is its header", async () => {
      const manager = await open({ sessionId: "s", version: 2 });
      const saved = await manager.create("a", { n: 1 }, { k: [1, null] });
      const header = JSON.parse(JSON.stringify(saved));
      expect(header).toMatchObject({
        id: "s:1",
        agentId: "s",
        sequence: 1,
        name: "a",
        parentId: null,
        schemaVersion: 2,
      });
      expect(header.stateHash).toMatch(/^[0-9a-f]{64}$/);
      expect(header.metadata).toEqual({ k: [1, null] });
      expect(Object.keys(header)).not.toContain("data");
    });
  });
}
