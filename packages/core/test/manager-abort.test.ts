import { CheckpointManager, type CommitReceipt, type Lease, MemoryStore, type StoreEntry } from "@ckpt/core";
import { describe, expect, it, vi } from "vitest";

/** A memory store whose next commit, or taking of an agent, waits for its gate. */
class GatedStore extends MemoryStore {
  commitGate: Promise<void> | undefined;
  acquireGate: Promise<void> | undefined;
  acquired = 0;

  override async commit(entries: readonly StoreEntry[]): Promise<CommitReceipt> {
    const gate = this.commitGate;
    this.commitGate = undefined;
    await gate;
    return super.commit(entries);
  }

  override async acquire(agentId: string): Promise<Lease> {
    this.acquired++;
    await this.acquireGate;
    return super.acquire(agentId);
  }
}

function gate() {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, closed };
}

/** What a call came to, as far as it has come by now. */
function watch(call: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: "waiting" };
  call.then(
    () => {
      watched.outcome = "done";
    },
    (error: { code: string }) => {
      watched.outcome = error.code;
    },
  );
  return watched;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function busyManager() {
  const store = new GatedStore();
  const manager = new CheckpointManager<unknown>({ sessionId: "s", store });
  await manager.create("a", 1);
  const { open, closed } = gate();
  store.commitGate = closed;
  return { store, manager, open, busy: manager.create("busy", 2) };
}

describe("a signal that fires while a call waits its turn", () => {
  const text = JSON.stringify([
    { id: "x:1", name: "a", timestamp: "2026-01-31T09:00:00Z", data: 1, metadata: {} },
  ]);
  type Call = (manager: CheckpointManager<unknown>, signal: AbortSignal) => Promise<unknown>;
  const calls: Record<string, Call> = {
    rollbackTo: (manager, signal) => manager.rollbackTo("s:1", { signal }),
    remove: (manager, signal) => manager.remove("s:1", { signal }),
    clear: (manager, signal) => manager.clear({ signal }),
    pin: (manager, signal) => manager.pin("s:1", { signal }),
    unpin: (manager, signal) => manager.unpin("s:1", { signal }),
    importCheckpoints: (manager, signal) => manager.importCheckpoints(text, { signal }),
  };

  it.each(Object.entries(calls))("ends %s at once, and nothing of it is done", async (_, call) => {
    const { manager, open, busy } = await busyManager();
    const controller = new AbortController();
    const saved = watch(busy);
    const waiting = watch(call(manager, controller.signal));
    await turn();
    expect(waiting.outcome).toBe("waiting");
    controller.abort(new Error("enough"));
    await turn();
    expect([saved.outcome, waiting.outcome]).toEqual(["waiting", "CKPT_ABORTED"]);
    open();
    await busy;
    expect(await manager.create("after", 3)).toMatchObject({ id: "s:3", parentId: "s:2" });
    expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:1", "s:2", "s:3"]);
  });

  it("ends a create behind such a call too, and leaves the others in the order of their calls", async () => {
    const { manager, open, busy } = await busyManager();
    const controller = new AbortController();
    const { signal } = controller;
    const removing = manager.remove("s:1");
    const dropped = [1, 2, 3].map((i) => watch(manager.create("dropped", i, {}, { signal })));
    const first = manager.create("first", 3);
    dropped.push(watch(manager.rollbackTo("s:1", { signal })));
    const second = manager.create("second", 4);
    controller.abort();
    await turn();
    expect(dropped.map(({ outcome }) => outcome)).toEqual(Array(4).fill("CKPT_ABORTED"));
    open();
    expect(await removing).toBe(1);
    expect([(await busy).id, (await first).parentId, (await second).parentId]).toEqual(["s:2", "s:2", "s:3"]);
    expect((await manager.getAll()).map(({ name }) => name)).toEqual(["busy", "first", "second"]);
  });

  it("does not interrupt what has begun", async () => {
    const store = new GatedStore();
    const manager = new CheckpointManager<unknown>({ sessionId: "s", store });
    await manager.create("a", 1);
    const { open, closed } = gate();
    store.commitGate = closed;
    const controller = new AbortController();
    const removing = watch(manager.remove("s:1", { signal: controller.signal }));
    await turn();
    controller.abort();
    await turn();
    expect(removing.outcome).toBe("waiting");
    open();
    await turn();
    expect(removing.outcome).toBe("done");
    expect(await manager.length).toBe(0);
  });

  it("is heard while the agent is taken, and the lease that comes after all is given back by close", async () => {
    const store = new GatedStore();
    const { open, closed } = gate();
    store.acquireGate = closed;
    const manager = new CheckpointManager<unknown>({ sessionId: "s", store });
    const controller = new AbortController();
    const saving = watch(manager.create("a", 1, {}, { signal: controller.signal }));
    await turn();
    controller.abort();
    await turn();
    expect([store.acquired, saving.outcome]).toEqual([1, "CKPT_ABORTED"]);
    const closing = manager.close();
    await turn();
    open();
    await closing;
    expect(await store.list("s")).toEqual([]);
    expect((await store.acquire("s")).epoch).toBe(2);
  });

  it("before the agent was asked for: it is not taken for a call that nobody waits for", async () => {
    const store = new GatedStore();
    const manager = new CheckpointManager<unknown>({ sessionId: "s", store });
    const controller = new AbortController();
    const saving = watch(manager.create("a", 1, {}, { signal: controller.signal }));
    controller.abort();
    await turn();
    expect([store.acquired, saving.outcome]).toEqual([0, "CKPT_ABORTED"]);
    await manager.close();
  });

  it("is listened to only while a call waits, by any number of calls", async () => {
    const { manager, open, busy } = await busyManager();
    const warned = vi.fn();
    process.on("warning", warned);
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
    const calls = Array.from({ length: 30 }, () => manager.rollbackTo("s:1", { signal }));
    expect(add).toHaveBeenCalled();
    open();
    await Promise.all([busy, ...calls]);
    expect(remove.mock.calls).toHaveLength(add.mock.calls.length);
    add.mockClear();
    await manager.create("nothing ahead", 3, {}, { signal });
    expect(add).not.toHaveBeenCalled();
    await turn();
    process.off("warning", warned);
    expect(warned).not.toHaveBeenCalled();
  });
});
