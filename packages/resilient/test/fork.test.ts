import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json, MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

/** An agent that went on from `{ n: 1 }` to `{ n: 2 }`, both saved. */
async function twoSteps(store: MemoryStore) {
  const options = { retry: false, memoryBytesWhenDegraded: 0 } as const;
  const { agent, manager } = agentOver(store, { n: 1 }, options);
  await manager.createCheckpoint();
  agent.state = { n: 2 };
  await manager.createCheckpoint();
  return { agent, manager };
}

describe("a fork that fails", () => {
  const failures: Record<string, (store: FaultyStore) => { readonly [key: string]: Json }> = {
    "for its metadata": () => ({ bad: undefined as never }),
    "because nothing can be written": (store) => {
      store.fail("commit", ioError("EIO"));
      return {};
    },
  };

  it.each(Object.entries(failures))("%s changes nothing", async (_, prepare) => {
    const store = new FaultyStore();
    const { agent, manager } = await twoSteps(store);
    await errorOf(manager.fork("a:1", { metadata: prepare(store) }));
    store.heal();
    expect(agent.state).toEqual({ n: 2 });
    const [head] = await manager.lineage();
    expect(head?.id).toBe("a:2");
  });
});

describe("a fork", () => {
  it("moves the head and saves its checkpoint in one commit, so that nothing stands between them", async () => {
    const store = new FaultyStore();
    const { agent, manager } = await twoSteps(store);
    agent.state = { n: 3 };
    const events: string[] = [];
    manager.on("saved", ({ name }) => events.push(name));
    const commits = store.batches.length;
    const forked = await manager.fork("a:1");
    expect(store.batches.length).toBe(commits + 1);
    expect(events).toEqual(["safety", "fork"]);
    expect(agent.state).toEqual({ n: 1 });
    expect(forked.parentId).toBe("a:1");
    expect((await store.agent("a"))?.headId).toBe(forked.id);
    expect((await manager.createCheckpoint()).parentId).toBe(forked.id);
    await manager.undoRestore();
    expect(agent.state).toEqual({ n: 3 });
  });

  it("is where the next process goes on", async () => {
    const directory = await mkdtemp(join(tmpdir(), "ckpt-fork-"));
    const open = () => {
      const live = { n: 0 };
      const apply = (state: { n: number }) => {
        live.n = state.n;
      };
      const collect = () => ({ ...live });
      return {
        live,
        manager: new ResilientCheckpointManager<{ n: number }>("a", { directory, collect, apply }),
      };
    };
    const first = open();
    await first.manager.createCheckpoint();
    first.live.n = 2;
    await first.manager.createCheckpoint();
    const forked = await first.manager.fork("a:1");
    await first.manager.close();
    const second = open();
    second.live.n = 9;
    const { checkpoint } = await second.manager.recover();
    expect([checkpoint?.id, second.live.n]).toEqual([forked.id, 0]);
    await second.manager.close();
    await rm(directory, { recursive: true, force: true });
  });
});
