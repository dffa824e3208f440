import { runInNewContext } from "node:vm";
import {
  CheckpointManager,
  CkptError,
  type CommitReceipt,
  MemoryStore,
  type StoreEntry,
  WritePosition,
} from "@ckpt/core";
import { describe, expect, it } from "vitest";

/** A memory store whose next commits fail as told. */
class FailingStore extends MemoryStore {
  readonly failures: (Error | undefined)[] = [];

  override async commit(entries: readonly StoreEntry[]): Promise<CommitReceipt> {
    await Promise.resolve();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return super.commit(entries);
  }
}

const full = () => new CkptError("CKPT_NO_SPACE", { message: "The disk is full." });

describe("a manager whose store fails", () => {
  it("rejects with the store's error, loses nothing, and goes on from the last head", async () => {
    const store = new FailingStore();
    const manager = new CheckpointManager({ sessionId: "s", store });
    await manager.create("a", 1);
    store.failures.push(full());
    await expect(manager.create("a", 2)).rejects.toMatchObject({ code: "CKPT_NO_SPACE" });
    const next = await manager.create("a", 3);
    expect(next).toMatchObject({ id: "s:3", parentId: "s:1" });
    expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:1", "s:3"]);
  });

  it("takes the head back only when no later call moved it", async () => {
    const store = new FailingStore();
    const manager = new CheckpointManager({ sessionId: "s", store });
    await manager.create("a", 1);
    store.failures.push(full(), undefined);
    const [failed, passed] = await Promise.allSettled([manager.create("a", 2), manager.create("a", 3)]);
    expect([failed.status, passed.status]).toEqual(["rejected", "fulfilled"]);
    expect((await manager.create("a", 4)).parentId).toBe("s:3");
  });

  it("keeps the head when a rollback is not recorded", async () => {
    const store = new FailingStore();
    const manager = new CheckpointManager({ sessionId: "s", store });
    await manager.create("a", 1);
    await manager.create("a", 2);
    store.failures.push(full());
    await expect(manager.rollbackTo("s:1")).rejects.toMatchObject({ code: "CKPT_NO_SPACE" });
    expect((await manager.create("a", 3)).parentId).toBe("s:2");
  });

  it("takes nothing in when the commit of an import fails, and can take it in again", async () => {
    const source = new CheckpointManager({ sessionId: "s" });
    await source.create("a", 1);
    await source.create("a", 2);
    const text = await source.export();
    const store = new FailingStore();
    const manager = new CheckpointManager({ sessionId: "s", store });
    store.failures.push(full());
    await expect(manager.importCheckpoints(text)).rejects.toMatchObject({ code: "CKPT_NO_SPACE" });
    expect(await manager.length).toBe(0);
    expect(await manager.importCheckpoints(text)).toBe(2);
    expect((await manager.create("a", 3)).parentId).toBe("s:2");
  });

  it("passes over no numbers because an import failed", async () => {
    const store = new FailingStore();
    const manager = new CheckpointManager<unknown>({ sessionId: "s", store });
    await manager.create("a", 1);
    store.failures.push(full());
    const timestamp = "2026-01-31T09:00:00+00:00";
    const far = JSON.stringify([{ id: "s:900000", name: "a", timestamp, data: 1, metadata: {} }]);
    await expect(manager.importCheckpoints(far)).rejects.toMatchObject({ code: "CKPT_NO_SPACE" });
    expect((await manager.create("a", 2)).id).toBe("s:2");
    await manager.importCheckpoints(far);
    expect((await manager.create("a", 3)).id).toBe("s:900001");
  });

  it("lets a save stand when thinning behind it fails, and reports that", async () => {
    const store = new FailingStore();
    const manager = new CheckpointManager({ sessionId: "s", store, maxCheckpoints: 1 });
    const reported: unknown[] = [];
    manager.on("error", ({ during, error }) => reported.push([during, (error as CkptError).code]));
    await manager.create("a", 1);
    store.failures.push(undefined, full());
    expect((await manager.create("a", 2)).id).toBe("s:2");
    expect(reported).toEqual([["work after a save", "CKPT_NO_SPACE"]]);
    expect(await manager.length).toBe(2);
    await manager.create("a", 3);
    expect(await manager.length).toBe(1);
  });

  it("reads the history again after someone else wrote", async () => {
    const store = new MemoryStore();
    const manager = new CheckpointManager({ sessionId: "s", store });
    const saved = await manager.create("a", 1);
    const snapshot = await saved.snapshot();
    const header = { ...saved.toJSON(), id: "s:2", sequence: 2, parentId: saved.id };
    await store.commit([{ op: "put", header, snapshot }]);
    await expect(manager.create("a", "mine")).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    expect(await manager.create("a", "mine")).toMatchObject({ id: "s:3", parentId: "s:2" });
  });

  it("reads the history again after a pin, too, was refused because someone else wrote", async () => {
    const store = new FailingStore();
    const manager = new CheckpointManager({ sessionId: "s", store });
    const saved = await manager.create("a", 1);
    const header = { ...saved.toJSON(), id: "s:2", sequence: 2, parentId: saved.id };
    await store.commit([{ op: "put", header, snapshot: await saved.snapshot() }]);
    store.failures.push(new CkptError("CKPT_CONFLICT", { message: "Someone else wrote this agent." }));
    await expect(manager.pin("s:1")).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    expect(await manager.create("a", "mine")).toMatchObject({ id: "s:3", parentId: "s:2" });
  });

  it("gives the agent back by another close when the release failed", async () => {
    const store = new MemoryStore();
    const acquire = store.acquire.bind(store);
    let failures = 1;
    store.acquire = async (agentId) => {
      const lease = await acquire(agentId);
      const release = async () => {
        if (failures-- > 0) throw new CkptError("CKPT_IO", { message: "The disk does not answer." });
        await lease.release();
      };
      return { ...lease, release };
    };
    const manager = new CheckpointManager({ sessionId: "s", store });
    await manager.create("a", 1);
    await expect(manager.close()).rejects.toMatchObject({ code: "CKPT_IO" });
    await expect(manager.create("a", 2)).rejects.toMatchObject({ code: "CKPT_CLOSED" });
    await manager.close();
    await manager.close();
    expect(failures).toBe(-1);
    const next = new CheckpointManager({ sessionId: "s", store });
    expect((await next.create("a", 2)).id).toBe("s:2");
  });

  it("is refused by name while another manager holds the session, and goes on when that one is closed", async () => {
    const store = new MemoryStore();
    const holder = new CheckpointManager({ sessionId: "s", store });
    await holder.create("a", 1);
    const second = new CheckpointManager({ sessionId: "s", store });
    expect(await (await second.getLatest())?.data()).toBe(1);
    await expect(second.create("a", 2)).rejects.toMatchObject({ code: "CKPT_LOCKED" });
    await expect(second.create("a", 2)).rejects.toMatchObject({ code: "CKPT_LOCKED" });
    await holder.close();
    expect(await second.create("a", 2)).toMatchObject({ id: "s:2", parentId: "s:1" });
    await second.close();
    expect(await store.agents()).toEqual(["s"]);
  });

  it("never takes the agent for a read", async () => {
    const store = new MemoryStore();
    const reader = new CheckpointManager({ sessionId: "s", store });
    await reader.getAll();
    await reader.getLatest();
    await reader.getSummary();
    const lease = await store.acquire("s");
    expect(lease.epoch).toBe(1);
  });
});

describe("a manager whose logger throws", () => {
  it("still saves, and still tells of a listener that threw", async () => {
    const fail = () => {
      throw new Error("no disk for logs");
    };
    const manager = new CheckpointManager({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
    const reported: unknown[] = [];
    manager.on("error", ({ during }) => reported.push(during));
    manager.onCheckpoint(fail);
    expect((await manager.create("a", 1)).name).toBe("a");
    expect(reported).toEqual(["logging", 'listener of "saved"']);
  });

  it.each([
    [
      "throw",
      (error: Error) => {
        throw error;
      },
    ],
    [
      "reject",
      async (error: Error) => {
        throw error;
      },
    ],
    ["reject in another realm", runInNewContext("async (error) => { throw error }")],
  ])("comes to an end when the listeners of its failures fail as well: both %s", async (_, failWith) => {
    let calls = 0;
    // Without an end it would go on until the test runs out of time, or of stack.
    const fail = () => (++calls < 1_000 ? failWith(new Error("no disk for logs")) : undefined);
    const manager = new CheckpointManager({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
    manager.on("error", fail);
    manager.onCheckpoint(fail);
    expect((await manager.create("a", 1)).name).toBe("a");
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBeLessThan(10);
  });
});

describe("a manager whose logger failed once", () => {
  it("tells the logger of later failures of its error listeners again", async () => {
    const logged: string[] = [];
    let isDown = true;
    const quiet = () => {};
    const error = (message: string) => {
      if (isDown) throw new Error("no disk for logs");
      logged.push(message);
    };
    const manager = new CheckpointManager({ logger: { debug: quiet, info: quiet, warn: quiet, error } });
    const fail = () => {
      throw new Error("of a listener");
    };
    manager.onCheckpoint(fail);
    await manager.create("a", 1);
    isDown = false;
    manager.on("error", fail);
    await manager.create("b", 2);
    expect(logged).toEqual(['listener of "saved" failed', 'listener of "error" failed']);
  });
});

describe("options of a manager", () => {
  it("have the reference's defaults, and a session id that can be read aloud", async () => {
    const { MANAGER_DEFAULTS } = await import("@ckpt/core");
    expect(MANAGER_DEFAULTS).toEqual({ maxCheckpoints: 100, compressAfter: 50 });
    const one = new CheckpointManager();
    const two = new CheckpointManager();
    expect(one.sessionId).toMatch(/^session(-[a-z]{5}){4}$/);
    expect(one.sessionId).toBe(one.agentId);
    expect(two.sessionId).not.toBe(one.sessionId);
  });

  it.each([
    [{ maxCheckpoints: 0 }, "CKPT_INVALID_ARGUMENT"],
    [{ maxCheckpoints: 1.5 }, "CKPT_INVALID_ARGUMENT"],
    [{ compressAfter: -1 }, "CKPT_INVALID_ARGUMENT"],
    [{ compressAfter: Number.NaN }, "CKPT_INVALID_ARGUMENT"],
    [{ schema: {} as never }, "CKPT_INVALID_ARGUMENT"],
    [{ limits: { maxDepth: 0 } }, "CKPT_INVALID_ARGUMENT"],
    [{ sessionId: "" }, "CKPT_INVALID_ID"],
    [{ sessionId: "a\u202eb" }, "CKPT_INVALID_ID"],
    [{ sessionId: 7 as never }, "CKPT_INVALID_ID"],
    [{ sessionId: "é".repeat(101) }, "CKPT_INVALID_ID"],
  ])("refuse %j at construction", (options, code) => {
    expect(() => new CheckpointManager(options)).toThrow(expect.objectContaining({ code }));
  });

  it.each(["..", "../../etc/passwd", "CON", "a/b\\c", "*?|<>", "日本", "__proto__", "é".repeat(100)])(
    "take %j as a session id, because no place uses it without encoding it",
    async (sessionId) => {
      const manager = new CheckpointManager({ sessionId });
      const saved = await manager.create("a", 1);
      expect(saved.id).toBe(`${sessionId}:1`);
      expect((await manager.get(saved.id))?.agentId).toBe(sessionId);
    },
  );
});

describe("reads beside removals", () => {
  /** Removes a checkpoint behind the manager's back, at the moment when its state is about to be read. */
  class VanishingStore extends MemoryStore {
    readonly vanish = new Set<string>();

    override async load(agentId: string, id: string) {
      if (this.vanish.delete(id)) await this.commit([{ op: "remove", agentId, ids: [id], reason: "test" }]);
      return super.load(agentId, id);
    }
  }

  it("leave out of an export and a summary what was removed since it was listed", async () => {
    const store = new VanishingStore();
    const manager = new CheckpointManager({ sessionId: "s", store });
    for (let i = 1; i <= 4; i++) await manager.create(`step ${i}`, i);
    store.vanish.add("s:1").add("s:4");
    expect(await manager.getSummary()).toMatchObject({
      total_count: 2,
      first_checkpoint: { id: "s:2" },
      last_checkpoint: { id: "s:3" },
    });
    store.vanish.add("s:2");
    expect((JSON.parse(await manager.export()) as { id: string }[]).map(({ id }) => id)).toEqual(["s:3"]);
    store.vanish.add("s:3");
    expect(await manager.getSummary()).toMatchObject({ total_count: 0, first_checkpoint: null });
  });

  it("pass on what a store rejects with for a checkpoint that is still there", async () => {
    class DamagedStore extends MemoryStore {
      override async load(): Promise<never> {
        throw new CkptError("CKPT_CORRUPT", { message: "A byte is wrong." });
      }
    }
    const manager = new CheckpointManager({ sessionId: "s", store: new DamagedStore() });
    const saved = await manager.create("a", 1);
    for (const call of [
      () => manager.export(),
      () => manager.getSummary(),
      () => manager.rollbackTo(saved.id),
      () => saved.data(),
    ])
      await expect(call()).rejects.toMatchObject({ code: "CKPT_CORRUPT" });
    expect(await manager.getAll()).toHaveLength(1);
  });
});

describe("the head, when commits end out of order", () => {
  it("is that of the last one that did not fail", () => {
    const position = new WritePosition("s", 0, "base");
    const [a, b, c] = ["a", "b", "c"].map((id) => position.start(id));
    expect(position.headId).toBe("c");
    position.failed(c!);
    expect(position.headId).toBe("b");
    position.failed(b!);
    position.committed(a!);
    expect(position.headId).toBe("a");
    const [d, e] = ["d", null].map((id) => position.start(id));
    position.committed(e!);
    expect(position.headId).toBeNull();
    position.committed(d!);
    expect(position.headId).toBeNull();
    position.failed(position.start("f"));
    expect(position.headId).toBeNull();
  });

  it("hands out each number once, also behind numbers that an import took", () => {
    const position = new WritePosition("s", 4, null);
    expect(position.next()).toEqual({ id: "s:5", sequence: 5, parentId: null });
    position.advanceTo(9);
    position.advanceTo(2);
    expect(position.next().sequence).toBe(10);
  });
});
