import { CkptError } from "@ckpt/core";
import { checkpointGroup, restoreGroup } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore } from "./support/faulty-store.js";

/** Takes events only, once it is strict. */
class StrictStore extends FaultyStore {
  isStrict = false;

  override async commit(...args: Parameters<FaultyStore["commit"]>) {
    if (this.isStrict && args[0].some(({ op }) => op === "put"))
      throw new CkptError("CKPT_LIMIT", { message: "The state is too large.", hint: "Keep it smaller." });
    return super.commit(...args);
  }
}

/** Two agents that have moved on from a group; the second one's first `failing` applies throw. */
async function movedOn(failing: number) {
  const store = new StrictStore();
  let left = failing;
  const a = agentOver(store, { n: 0 }, { agentId: "a" });
  const b = agentOver(
    store,
    { n: 0 },
    {
      agentId: "b",
      apply: (state) => {
        if (left-- > 0) throw new Error("not now");
        b.agent.apply(state);
      },
    },
  );
  const agents = [a, b];
  const managers = agents.map(({ manager }) => manager);
  const group = await checkpointGroup(managers, "m");
  const reported: unknown[] = [];
  for (const { agent, manager } of agents) {
    agent.state = { n: 5 };
    await manager.createCheckpoint();
    agent.state = { n: 6 };
    manager.on("error", (event) => reported.push(event.error));
  }
  store.isStrict = true;
  const heads = () => Promise.all(managers.map(async ({ agentId }) => (await store.agent(agentId))?.headId));
  return { agents, managers, group, reported, heads };
}

describe("a group restore where the states that are left cannot be saved", () => {
  it("goes back all the same and says so, as the restore of one agent does", async () => {
    const { agents, managers, group, reported, heads } = await movedOn(0);
    await restoreGroup(managers, group);
    expect(agents.map(({ agent }) => agent.state)).toEqual([{ n: 0 }, { n: 0 }]);
    expect(await heads()).toEqual(["a:1", "b:1"]);
    expect(reported).toMatchObject([{ code: "CKPT_LIMIT" }, { code: "CKPT_LIMIT" }]);
    for (const manager of managers) await manager.undoRestore();
    expect(agents.map(({ agent }) => agent.state)).toEqual([{ n: 5 }, { n: 5 }]);
  });

  it("puts the live states back when an apply fails", async () => {
    const { agents, managers, group, heads } = await movedOn(1);
    expect(await errorOf(restoreGroup(managers, group))).toMatchObject({
      code: "CKPT_APPLY_FAILED",
      details: { putBack: true },
    });
    expect(agents.map(({ agent }) => agent.state)).toEqual([{ n: 6 }, { n: 6 }]);
    expect(await heads()).toEqual(["a:2", "b:2"]);
  });
});
