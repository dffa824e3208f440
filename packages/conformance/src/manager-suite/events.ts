import { asyncDispose } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { type ManagerUnderTest, opener, rejection } from "./bench.js";

/** Events, logger, closing. */
export function events(subject: ManagerUnderTest): void {
  describe("events and closing", () => {
    const open = opener(subject);

    it("tells every listener of every save, until it unsubscribes", async () => {
      const manager = await open();
      const seen: string[] = [];
      const stop = manager.onCheckpoint(({ name }) => seen.push(`one ${name}`));
      manager.on("saved", ({ name }) => seen.push(`two ${name}`));
      await manager.create("a", 1);
      stop();
      await manager.create("b", 2);
      expect(seen).toEqual(["one a", "two a", "two b"]);
    });

    it("former defect: a callback that throws does not break the save, and is reported", async () => {
      const logged: unknown[] = [];
      const silent = () => {};
      const logger = {
        debug: silent,
        info: silent,
        warn: silent,
        error: (message: string, fields?: object) => logged.push([message, fields]),
      };
      const manager = await open({ logger });
      const reported: unknown[] = [];
      const seen: string[] = [];
      manager.on("error", (event) => reported.push(event));
      const boom = new Error("boom");
      manager.onCheckpoint(() => {
        throw boom;
      });
      manager.onCheckpoint(async () => {
        throw boom;
      });
      manager.onCheckpoint(({ id }) => seen.push(id));
      const saved = await manager.create("a", 1);
      expect(seen).toEqual([saved.id]);
      expect(await manager.get(saved.id)).toBeDefined();
      await Promise.resolve();
      expect(reported).toEqual([
        { during: 'listener of "saved"', error: boom },
        { during: 'listener of "saved"', error: boom },
      ]);
      expect(logged).toHaveLength(2);
    });

    it("does not go round in circles when the listener of errors throws", async () => {
      const manager = await open();
      let calls = 0;
      manager.on("error", () => {
        calls++;
        throw new Error("again");
      });
      manager.onCheckpoint(() => {
        throw new Error("boom");
      });
      await manager.create("a", 1);
      expect(calls).toBe(1);
    });

    it("lets a listener save", async () => {
      const manager = await open();
      let nested: Promise<unknown> | undefined;
      manager.onCheckpoint(({ name }) => {
        if (name === "a") nested = manager.create("b", 2);
      });
      await manager.create("a", 1);
      await nested;
      expect(await manager.length).toBe(2);
    });

    it("tells of rollbacks, removals and imports", async () => {
      const manager = await open({ sessionId: "s" });
      const seen: unknown[] = [];
      manager.on("restored", ({ checkpoint, reason }) => seen.push(["restored", checkpoint.id, reason]));
      manager.on("removed", ({ ids }) => seen.push(["removed", ids]));
      manager.on("imported", ({ ids }) => seen.push(["imported", ids]));
      await manager.create("a", 1);
      const text = await manager.export();
      await manager.rollbackTo("s:1");
      await manager.clear();
      await manager.importCheckpoints(text);
      expect(seen).toEqual([
        ["restored", "s:1", "rollback"],
        ["removed", ["s:1"]],
        ["imported", ["s:1"]],
      ]);
    });

    it("finishes what was called before close, and refuses every method afterwards", async () => {
      const manager = await open<number>({ sessionId: "s" });
      const existing = await manager.create("a", 0);
      const pending = [manager.create("a", 1), manager.create("a", 2)];
      await manager.close();
      expect((await Promise.all(pending)).map(({ id }) => id)).toEqual(["s:2", "s:3"]);
      const calls: Record<string, () => Promise<unknown>> = {
        create: () => manager.create("a", 1),
        get: () => manager.get("s:1"),
        getByName: () => manager.getByName("a"),
        getLatest: () => manager.getLatest(),
        getAll: () => manager.getAll(),
        getSince: () => manager.getSince(0),
        getBetween: () => manager.getBetween(0, 1),
        rollbackTo: () => manager.rollbackTo("s:1"),
        remove: () => manager.remove("s:1"),
        clear: () => manager.clear(),
        pin: () => manager.pin("s:1"),
        unpin: () => manager.unpin("s:1"),
        getSummary: () => manager.getSummary(),
        export: () => manager.export(),
        importCheckpoints: () => manager.importCheckpoints("[]"),
        length: () => manager.length,
        iteration: () => manager[Symbol.asyncIterator]().next(),
        data: () => existing.data(),
        snapshot: () => existing.snapshot(),
      };
      for (const [name, call] of Object.entries(calls)) {
        const { code, error } = await rejection(call());
        expect([name, code]).toEqual([name, "CKPT_CLOSED"]);
        expect(error.message).toContain(name);
      }
      await manager.close();
    });

    it("rejects what takes a signal that has fired, and changes nothing", async () => {
      const manager = await open<number>({ sessionId: "s" });
      const saved = await manager.create("a", 1);
      const text = await manager.export();
      const options = { signal: AbortSignal.abort() };
      const calls: Record<string, () => Promise<unknown>> = {
        create: () => manager.create("a", 2, {}, options),
        rollbackTo: () => manager.rollbackTo("s:1", options),
        remove: () => manager.remove("s:1", options),
        clear: () => manager.clear(options),
        pin: () => manager.pin("s:1", options),
        unpin: () => manager.unpin("s:1", options),
        export: () => manager.export(options),
        importCheckpoints: () => manager.importCheckpoints(text, { ...options, onConflict: "renumber" }),
        data: () => saved.data(options),
        snapshot: () => saved.snapshot(options),
      };
      for (const [name, call] of Object.entries(calls))
        expect([name, (await rejection(call())).code]).toEqual([name, "CKPT_ABORTED"]);
      expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:1"]);
    });

    it("closes at the end of a block that disposes of it", async () => {
      const manager = await open();
      await manager[asyncDispose]();
      expect((await rejection(manager.getAll())).code).toBe("CKPT_CLOSED");
    });
  });
}
