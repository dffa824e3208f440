import { CkptError, MemoryStore } from "@ckpt/core";
import { checkpointGroup, restoreGroup } from "@ckpt/resilient";
import { forName, keepLast, keepUntilReleased } from "@ckpt/retention";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf, until } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const lastThree = forName("routine", keepLast(3));

async function saves(
  manager: { createCheckpoint(type?: string): Promise<unknown> },
  count: number,
  type = "routine",
) {
  for (let i = 0; i < count; i++) await manager.createCheckpoint(type);
}
const idsOf = async (manager: { getAll(): Promise<{ id: string }[]> }) =>
  (await manager.getAll()).map(({ id }) => id);

describe("retention", () => {
  it("is carried out at the latest when the agent is at rest", async () => {
    const { manager } = agentOver(new MemoryStore(), 1, { retention: lastThree });
    await saves(manager, 10);
    await until(async () => (await manager.length) === 3);
    expect(await idsOf(manager)).toEqual(["a:8", "a:9", "a:10"]);
  });

  it("is finished by close", async () => {
    const store = new MemoryStore();
    const { manager } = agentOver(store, 1, { retention: lastThree });
    await saves(manager, 10);
    await manager.close();
    expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:8", "a:9", "a:10"]);
  });

  it("has a default: 3 routine, recovery for a week, anchors against drift", async () => {
    const { manager } = agentOver(new MemoryStore(), 1, { retention: undefined });
    await saves(manager, 2, "recovery");
    await saves(manager, 200);
    const plan = await manager.applyRetention();
    const kept = await idsOf(manager);
    expect(kept).toEqual(expect.arrayContaining(["a:1", "a:2", "a:200", "a:201", "a:202"]));
    expect(kept.length).toBeLessThan(25);
    expect(plan?.keep.every((decision) => decision.reasons.length > 0)).toBe(true);
  });

  it("can be turned off", async () => {
    const { manager } = agentOver(new MemoryStore(), 1, { retention: false });
    await saves(manager, 20);
    expect(await manager.planRetention()).toBeUndefined();
    expect(await manager.applyRetention()).toBeUndefined();
    await manager.close();
  });

  it("shows a plan without carrying it out", async () => {
    const { manager } = agentOver(new MemoryStore(), 1, { retention: lastThree });
    await saves(manager, 4);
    const plan = await manager.planRetention();
    expect(plan?.dropIds).toEqual(["a:1"]);
    expect(plan?.drop[0]?.reasons[0]?.message).toBeTruthy();
    expect(await manager.length).toBe(4);
  });

  it("says what it removed, with reasons", async () => {
    const { manager } = agentOver(new MemoryStore(), 1, { retention: lastThree });
    const pruned: unknown[] = [];
    manager.on("pruned", ({ ids, reason, decisions }) => pruned.push([ids, reason, decisions?.length]));
    await saves(manager, 4);
    await manager.applyRetention();
    expect(pruned).toEqual([[["a:1"], "retention policy", 1]]);
  });

  it("goes out with a save's own commit: none of its own while saves follow each other", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1, { retention: lastThree });
    await saves(manager, 100);
    const alone = store.batches.filter((batch) => batch.every((entry) => entry.op === "remove"));
    const together = store.batches.filter((batch) => batch.some((entry) => entry.op === "remove"));
    expect(together.length).toBeGreaterThan(10);
    expect(alone.length).toBeLessThan(together.length / 4);
  });

  it("reads the history only when it has grown, not at every save", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1, { retention: forName("routine", keepLast(400)) });
    await saves(manager, 1_000);
    expect(store.calls.filter(({ method }) => method === "list").length).toBeLessThan(150);
    await manager.close();
    expect((await store.ids("a")).length).toBe(400);
  });

  it("never removes the head, a pinned checkpoint, the base of an open guard, or where an undo leads", async () => {
    const store = new MemoryStore();
    const former = agentOver(store, { n: 0 });
    for (const n of [1, 2, 3, 4, 5]) {
      former.agent.state = { n };
      await former.manager.createCheckpoint();
    }
    await former.manager.close();
    const { agent, manager } = agentOver(store, { n: 0 }, { retention: forName("routine", keepLast(1)) });
    await manager.recover();
    await manager.pin("a:2");
    await manager.restoreCheckpoint("a:3");
    await manager.applyRetention();
    expect(await idsOf(manager)).toEqual(["a:2", "a:3", "a:5"]);
    await manager.undoRestore();
    expect(agent.state).toEqual({ n: 5 });
  });

  it("keeps what a guard stands on until the operation is done, and no longer", async () => {
    const { manager } = agentOver(new MemoryStore(), 1, {
      retention: forName("pre_operation", keepUntilReleased()),
    });
    await manager.guard("x", async () => {
      await saves(manager, 2, "pre_operation");
      await manager.applyRetention();
      expect(await idsOf(manager)).toContain("a:1");
    });
    await saves(manager, 1);
    await manager.applyRetention();
    expect(await idsOf(manager)).not.toContain("a:1");
  });

  it("does not take a restored checkpoint away while the restore is under way", async () => {
    const store = new FaultyStore();
    const { agent, manager } = agentOver(store, { n: 0 }, { retention: lastThree });
    for (let n = 1; n <= 12; n++) {
      agent.state = { n };
      await manager.createCheckpoint();
      if (n > 4) {
        await Promise.all([
          manager.restoreCheckpoint(`a:${n - 1}`).catch(() => {}),
          manager.createCheckpoint(),
          manager.applyRetention(),
        ]);
      }
      const head = (await store.agent("a"))!.headId!;
      expect(await store.ids("a")).toContain(head);
    }
  });

  it("leaves alone what a restore or pin that came before it makes count, however slow the store is", async () => {
    for (const verb of ["restore", "pin", "group"] as const) {
      const store = new FaultyStore();
      const { manager } = agentOver(store, { n: 0 }, { retention: keepLast(2) });
      await checkpointGroup([manager], "moment");
      await saves(manager, 4);
      const ask = async () => {
        if (verb === "restore") await manager.restoreCheckpoint("a:1");
        else if (verb === "pin") await manager.pin("a:1");
        else await restoreGroup([manager], "moment");
      };
      const asking = ask();
      const pruning = manager.applyRetention();
      await asking;
      await pruning;
      expect(await manager.get("a:1"), verb).toBeDefined();
      const { headId, pinnedIds } = (await store.agent("a"))!;
      if (verb === "pin") expect(pinnedIds).toEqual(["a:1"]);
      else expect(headId).toBe("a:1");
      await manager.close();
    }
  });

  it("has removed a checkpoint, or has not begun to, when a pin or restore looks for it", async () => {
    for (const verb of ["restoreCheckpoint", "pin"] as const) {
      const store = new FaultyStore();
      const { manager } = agentOver(store, 0, { retention: keepLast(2) });
      await saves(manager, 5);
      let open = () => {};
      store.gate = new Promise((resolve) => (open = resolve));
      const before = store.commitsAsked;
      const pruning = manager.applyRetention();
      await until(() => store.commitsAsked > before);
      const asked = errorOf(manager[verb]("a:1"));
      await new Promise((resolve) => setTimeout(resolve, 20));
      open();
      await pruning;
      expect((await asked).code, verb).toBe("CKPT_NOT_FOUND");
      await manager.close();
    }
  });

  it("leaves the head where it is when a save beside it fails", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 0, { retention: keepLast(2) });
    await saves(manager, 4);
    const letGo = store.hold();
    const before = store.commitsAsked;
    const saving = errorOf(manager.createCheckpoint());
    const pruning = manager.applyRetention();
    await until(() => store.commitsAsked > before);
    await new Promise((resolve) => setTimeout(resolve, 20));
    store.fail("commit", new CkptError("CKPT_LIMIT", { message: "too large", hint: "Save less." }), {
      times: 1,
    });
    letGo();
    expect((await saving).code).toBe("CKPT_LIMIT");
    await pruning;
    expect((await manager.createCheckpoint()).parentId).toBe("a:4");
    await manager.close();
  });

  it("counts intact copies only: a damaged one stays, and does not count", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1, { retention: lastThree });
    await saves(manager, 4);
    store.damage("a:4");
    await manager.restoreCheckpoint("a:4");
    const plan = await manager.planRetention();
    expect(plan?.dropIds).toEqual([]);
  });

  it("keeps the newest intact one when the ones that it was counting on turn out damaged", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1, { retention: keepLast(1) });
    await saves(manager, 8);
    await until(() => manager.status().pendingRemovals > 0);
    store.damage("a:8");
    expect((await errorOf((await manager.get("a:8"))!.data())).code).toBe("CKPT_CORRUPT");
    await manager.close();
    expect(await idsOf(agentOver(store, 1).manager)).toEqual(["a:7", "a:8"]);
  });

  it.each([{ retention: undefined }, { retention: false as const, maxCheckpoints: 3 }])(
    "keeps the checkpoint from before a suspicion of drift that no save showed, with %j",
    async (options) => {
      const { agent, manager } = agentOver(new MemoryStore(), { n: 0 }, options);
      const save = async (n: number, signal: object) => {
        agent.state = { n };
        manager.observe({ tool: "t", outcome: "ok", ...signal });
        await manager.createCheckpoint();
      };
      for (let n = 1; n <= 7; n++) await save(n, { action: `a${n}`, observation: `o${n}` });
      const same = { action: "same", outcome: "error", observation: "same" } as const;
      while (!manager.driftVerdict().raised) manager.observe({ tool: "t", ...same });
      const good = manager.driftVerdict().lastGood?.checkpointId;
      expect(good).toBe("a:7");
      expect(manager.driftVerdict().since?.sequence).toBeUndefined();
      for (let n = 8; n <= 20; n++) await save(n, same);
      await manager.applyRetention();
      expect(await idsOf(manager)).toContain(good);
      await manager.close();
    },
  );

  it("keeps where an undo leads whatever bounds the history", async () => {
    const { agent, manager } = agentOver(new MemoryStore(), { n: 1 }, { maxCheckpoints: 3 });
    await manager.createCheckpoint();
    agent.state = { n: 2 };
    await manager.restoreCheckpoint("a:1");
    for (let n = 3; n < 9; n++) {
      agent.state = { n };
      await manager.createCheckpoint();
    }
    expect(await manager.length).toBe(3);
    await manager.undoRestore();
    expect(agent.state).toEqual({ n: 2 });
  });

  it("removes nothing when the removal could not be committed, and tries again", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, 1, { retention: lastThree, memoryBytesWhenDegraded: 0 });
    await saves(manager, 5);
    store.fail("commit", ioError("EIO"));
    expect((await errorOf(manager.applyRetention())).code).toBe("CKPT_IO");
    store.heal();
    await manager.applyRetention();
    expect(await idsOf(manager)).toEqual(["a:3", "a:4", "a:5"]);
  });

  it("drops nothing for its age when the clock jumps, and says so", async () => {
    let now = Date.UTC(2026, 0, 1);
    const { manager } = agentOver(new MemoryStore(), 1, { retention: undefined, clock: () => now });
    const suspended: number[] = [];
    manager.on("pruningSuspended", ({ jumpMs }) => suspended.push(jumpMs));
    await saves(manager, 3, "recovery");
    now += 30 * 86_400_000;
    const plan = await manager.applyRetention();
    expect(plan?.suspended?.code).toBe("clock-jump");
    expect(await manager.length).toBe(3);
    expect(suspended).toEqual([30 * 86_400_000]);
  });
});
