import { MemoryStore } from "@ckpt/core";
import { checkpointGroup, restoreGroup } from "@ckpt/resilient";
import { expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";

/** Two agents that keep three checkpoints each. */
function pair() {
  const store = new MemoryStore();
  const a = agentOver(store, { n: 1 }, { maxCheckpoints: 3 });
  const b = agentOver(store, { n: 1 }, { agentId: "b", maxCheckpoints: 3 });
  return { a, b, managers: [a.manager, b.manager] };
}

it("maxCheckpoints holds for an agent that is saved in groups only", async () => {
  const { b, managers } = pair();
  for (let n = 1; n < 6; n++) {
    b.agent.state = { n };
    await checkpointGroup(managers, "g");
  }
  expect(await b.manager.length).toBe(3);
  await restoreGroup(managers, "g");
  expect(await b.manager.length).toBe(3);
});

it("maxCheckpoints holds for what restores and forks save, and leaves where they lead", async () => {
  const { a } = pair();
  await a.manager.createCheckpoint();
  for (let n = 10; n < 16; n++) {
    a.agent.state = { n };
    await a.manager.restoreCheckpoint("a:1");
  }
  expect(await a.manager.length).toBe(3);
  a.agent.state = { n: 20 };
  await a.manager.fork("a:1");
  expect(await a.manager.length).toBe(3);
  await a.manager.undoRestore();
  expect(a.agent.state).toEqual({ n: 20 });
});

it("maxCheckpoints leaves what a group that fails goes back to, and where an undo led before", async () => {
  const store = new MemoryStore();
  const a = agentOver(store, { n: 1 }, { maxCheckpoints: 3 });
  let isFailing = true;
  const apply = async () => {
    if (!isFailing) return;
    isFailing = false;
    // Each of them moves the undo away from what the group would go back to.
    for (const n of [7, 8, 9]) {
      a.agent.state = { n };
      await a.manager.createCheckpoint();
      await a.manager.restoreCheckpoint("a:1");
    }
    throw new Error("no");
  };
  const b = agentOver(store, { n: 1 }, { agentId: "b", apply });
  await checkpointGroup([a.manager, b.manager], "g");
  a.agent.state = { n: 2 };
  await a.manager.restoreCheckpoint("a:1");
  await a.manager.pin("a:1");
  a.agent.state = { n: 3 };
  const error = await errorOf(restoreGroup([a.manager, b.manager], "g"));
  expect(error.details.putBack).toBe(true);
  const [head] = await a.manager.lineage();
  expect([a.agent.state, await head?.data()]).toEqual([{ n: 3 }, { n: 3 }]);
  await a.manager.undoRestore();
  expect(a.agent.state).toEqual({ n: 2 });
});
