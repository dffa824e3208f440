import { runInNewContext } from "node:vm";
import { checkpointGroup, type ResilientCheckpointManager, restoreGroup } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver } from "./support/agent-bench.js";
import { FaultyStore } from "./support/faulty-store.js";

type Manager = ResilientCheckpointManager<{ v: number }>;
type Call = (manager: Manager, signal: AbortSignal, other: Manager) => Promise<unknown>;

const calls: Record<string, Call> = {
  restoreCheckpoint: (manager, signal) => manager.restoreCheckpoint("a:1", { signal }),
  rollbackTo: (manager, signal) => manager.rollbackTo("a:1", { signal }),
  undoRestore: (manager, signal) => manager.undoRestore({ signal }),
  fork: (manager, signal) => manager.fork("a:1", { signal }),
  checkpointGroup: (manager, signal, other) => checkpointGroup([manager, other], "g", { signal }),
  restoreGroup: (manager, signal, other) => restoreGroup([manager, other], "first", { signal }),
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What a call came to, as far as it has come by now. */
function watch(call: Promise<unknown>): { outcome: string } {
  const watched = { outcome: "waiting" };
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

/** Two agents with a group, and a call of the first one under way, whose commit `open` lets through. */
async function busyAgents<T>(begin: (manager: Manager) => Promise<T>) {
  const store = new FaultyStore();
  const a = agentOver(store, { v: 1 });
  const b = agentOver(store, { v: 1 }, { agentId: "b" });
  await checkpointGroup([a.manager, b.manager], "first");
  let open = () => {};
  store.gate = new Promise((resolve) => {
    open = () => resolve();
  });
  a.agent.state = { v: 2 };
  const busy = begin(a.manager);
  await turn();
  return { a, b, busy, open };
}

describe("a signal that fires while a call waits for the saves before it", () => {
  it.each(Object.entries(calls))("ends %s at once, and nothing of it is done", async (_, call) => {
    const { a, b, busy, open } = await busyAgents((manager) => manager.createCheckpoint());
    const controller = new AbortController();
    const saved = watch(busy);
    const waiting = watch(call(a.manager, controller.signal, b.manager));
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(waiting.outcome).toBe("waiting");
    controller.abort();
    await turn();
    expect([saved.outcome, waiting.outcome]).toEqual(["waiting", "CKPT_ABORTED"]);
    open();
    await busy;
    expect([a.agent.applied, b.agent.applied, a.agent.state]).toEqual([[], [], { v: 2 }]);
    expect(await a.manager.createCheckpoint()).toMatchObject({ id: "a:3", parentId: "a:2" });
    expect(await b.manager.createCheckpoint()).toMatchObject({ id: "b:2", parentId: "b:1" });
  });
});

describe("a signal that fires while a call waits for a restore to be applied", () => {
  const waiters: Record<string, Call> = {
    ...calls,
    createCheckpoint: (manager, signal) => manager.createCheckpoint("routine", {}, { signal }),
    recover: (manager, signal) => manager.recover({ signal }),
    guard: (manager, signal) => manager.guard("op", () => 1, { signal }),
  };

  it.each(Object.entries(waiters))("ends %s at once, and leaves the restore alone", async (_, call) => {
    const { a, b, busy: restoring, open } = await busyAgents((manager) => manager.restoreCheckpoint("a:1"));
    const controller = new AbortController();
    const waiting = watch(call(a.manager, controller.signal, b.manager));
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(waiting.outcome).toBe("waiting");
    controller.abort();
    await turn();
    expect(waiting.outcome).toBe("CKPT_ABORTED");
    open();
    await restoring;
    expect([a.agent.applied, b.agent.applied]).toEqual([[{ v: 1 }], []]);
    expect(await a.manager.createCheckpoint()).toMatchObject({ parentId: "a:1" });
  });
});

describe("a signal that fires while a call waits for a collect that never ends", () => {
  const waiters: Record<string, Call> = {
    restoreCheckpoint: calls.restoreCheckpoint!,
    restoreGroup: calls.restoreGroup!,
    checkpointGroup: calls.checkpointGroup!,
    createCheckpoint: (manager, signal) => manager.createCheckpoint("routine", {}, { signal }),
    guard: (manager, signal) => manager.guard("op", () => 1, { signal }),
  };

  it.each(Object.entries(waiters))("ends %s at once, and lets restores and saves go on", async (_, call) => {
    const store = new FaultyStore();
    let isStuck = false;
    const collect = (): never => (isStuck ? new Promise(() => {}) : { v: 2 }) as never;
    const a = agentOver(store, { v: 1 }, { collect });
    const b = agentOver(store, { v: 1 }, { agentId: "b" });
    await checkpointGroup([a.manager, b.manager], "first");
    isStuck = true;
    const controller = new AbortController();
    const waiting = watch(call(a.manager, controller.signal, b.manager));
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(waiting.outcome).toBe("waiting");
    isStuck = false;
    const restoring = watch(a.manager.restoreCheckpoint("a:1", { safety: false }));
    const saving = watch(b.manager.createCheckpoint());
    controller.abort();
    for (let turns = 0; turns < 5; turns++) await turn();
    expect([waiting.outcome, restoring.outcome, saving.outcome]).toEqual(["CKPT_ABORTED", "done", "done"]);
  });
});

describe("a promise of another realm", () => {
  it("is waited for like any other where collect gives one", async () => {
    const collect = runInNewContext("async () => ({ v: 7 })") as () => Promise<{ v: number }>;
    const { manager } = agentOver(new FaultyStore(), { v: 1 }, { collect });
    expect(await (await manager.createCheckpoint()).data()).toEqual({ v: 7 });
    await manager.restoreCheckpoint("a:1");
    expect((await manager.getAll()).length).toBe(1);
  });
});
