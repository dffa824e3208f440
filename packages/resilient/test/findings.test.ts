import { ResilientCheckpointManager, superviseLoop, withDegradation, withMirror } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { put } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

interface Count {
  readonly n: number;
}

function counting(store: ConstructorParameters<typeof ResilientCheckpointManager<Count>>[1] & object) {
  const agent = { state: { n: 0 } as Count };
  const manager = new ResilientCheckpointManager<Count>("a", {
    retention: false,
    collect: () => agent.state,
    apply: (state) => {
      agent.state = state;
    },
    ...store,
  });
  return { agent, manager };
}

describe("a finding that names no checkpoint", () => {
  it("is no corruption: an agent goes on through an outage, and loses none of its work", async () => {
    const store = new FaultyStore();
    const { agent, manager } = counting({ store, retry: false });
    const work = superviseLoop(
      manager,
      async (step) => {
        agent.state = { n: agent.state.n + 1 };
        if (step.number === 3) store.unplug();
        if (step.number === 6) store.heal();
        if (step.number === 10) step.stop();
      },
      { everyStep: true, handleSignals: false },
    );
    expect(await work).toMatchObject({ steps: 10, errors: 0, driftRestores: 0 });
    expect(agent.state).toEqual({ n: 10 });
    expect(manager.driftVerdict().level).toBe("ok");
  });

  it("is no corruption: one damaged copy of two costs no work either, and is said", async () => {
    const [one, two] = [new FaultyStore(), new FaultyStore()];
    const { agent, manager } = counting({ store: withMirror(one, two) });
    const found: string[] = [];
    manager.on("finding", ({ kind }) => found.push(kind));
    await superviseLoop(
      manager,
      async (step) => {
        agent.state = { n: agent.state.n + 1 };
        if (step.number === 3) {
          one.damage("a:1");
          await (await manager.get("a:1"))!.data();
        }
        if (step.number === 6) step.stop();
      },
      { everyStep: true, handleSignals: false },
    );
    expect(agent.state).toEqual({ n: 6 });
    expect(found).toContain("damaged");
  });
});

describe("a place that cannot be read while saves reach memory only", () => {
  it("is no finding at each of them: what is known of an agent that is held stays true", async () => {
    const inner = new FaultyStore();
    const store = withDegradation(inner, { minFlushDelayMs: 60_000, maxFlushDelayMs: 60_000 });
    await store.acquire("a");
    inner.unplug();
    await store.commit([put("a", 1, 1)]);
    expect(store.takeFindings()).toEqual([]);
  });

  it("is one for each agent whose headers are not known", async () => {
    const inner = new FaultyStore();
    const store = withDegradation(inner, { minFlushDelayMs: 60_000, maxFlushDelayMs: 60_000 });
    inner.fail("commit", ioError("EIO"));
    await store.commit([put("a", 1, 1), put("b", 1, 1)]);
    inner.unplug();
    for (const id of ["a", "b", "a"]) await store.list(id);
    expect(store.takeFindings().map(({ place }) => place)).toEqual(["b", "a"]);
  });
});
