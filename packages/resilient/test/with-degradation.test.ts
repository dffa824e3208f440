import { snapshot } from "@ckpt/core";
import { type DegradingStore, type StoreIncident, withDegradation } from "@ckpt/resilient";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorOf, put, until } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const slow = { minFlushDelayMs: 60_000, maxFlushDelayMs: 60_000 };

function degrading(options = {}): { inner: FaultyStore; store: DegradingStore; seen: StoreIncident[] } {
  const inner = new FaultyStore();
  const store = withDegradation(inner, { ...slow, ...options });
  const seen: StoreIncident[] = [];
  store.onIncident((incident) => seen.push(incident));
  return { inner, store, seen };
}

describe("withDegradation", () => {
  it("keeps saves in memory while the place fails, and says so on every receipt", async () => {
    const { inner, store, seen } = degrading();
    await store.commit([put("a", 1, { n: 1 })]);
    inner.fail("commit", ioError("ENOSPC"));
    const second = await store.commit([put("a", 2, { n: 2 })]);
    const third = await store.commit([put("a", 3, { n: 3 })]);
    expect([second.durability, third.durability]).toEqual(["degraded", "degraded"]);
    expect(third.headers[0]).toMatchObject({ id: "a:3", stateHash: snapshot({ n: 3 }).hash });
    expect(store.health()).toMatchObject({
      pendingCommits: 2,
      pendingIds: ["a:2", "a:3"],
      lastError: { code: "CKPT_NO_SPACE" },
    });
    expect(seen.map(({ kind }) => kind)).toEqual(["degraded"]);
    expect(await inner.ids("a")).toEqual(["a:1"]);
  });

  it("shows what is in memory in every read", async () => {
    const { inner, store } = degrading();
    await store.commit([put("a", 1, { n: 1 })]);
    inner.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, { n: 2 })]);
    await store.commit([
      { op: "remove", agentId: "a", ids: ["a:1"], reason: "test" },
      { op: "event", agentId: "a", event: { kind: "pinned", checkpointId: "a:2" } },
      { op: "event", agentId: "a", event: { kind: "note", topic: "t", body: 7 } },
    ]);
    await store.commit([put("b", 1, { b: 1 })]);
    expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:2"]);
    expect((await store.list("a", { reverse: true, limit: 1 })).map(({ id }) => id)).toEqual(["a:2"]);
    expect(await store.get("a", "a:1")).toBeUndefined();
    expect((await store.get("a", "a:2"))?.sequence).toBe(2);
    expect((await store.load("a", "a:2")).toValue()).toEqual({ n: 2 });
    expect((await errorOf(store.load("a", "a:1"))).code).toBe("CKPT_NOT_FOUND");
    expect(await store.agent("a")).toMatchObject({
      headId: "a:2",
      lastSequence: 2,
      count: 1,
      pinnedIds: ["a:2"],
      notes: { t: 7 },
    });
    expect(await store.agents()).toEqual(["a", "b"]);
  });

  it("writes them in order once the place is well, by itself", async () => {
    const { inner, store, seen } = degrading({ minFlushDelayMs: 5, maxFlushDelayMs: 5 });
    inner.fail("commit", ioError("EIO"));
    for (let n = 1; n <= 70; n++) await store.commit([put("a", n, { n })]);
    inner.heal();
    await until(() => store.health().pendingCommits === 0);
    expect(await inner.ids("a")).toEqual(Array.from({ length: 70 }, (_, i) => `a:${i + 1}`));
    const flushed = seen.flatMap((incident) => (incident.kind === "flushed" ? incident.checkpointIds : []));
    expect(flushed).toEqual(await inner.ids("a"));
    expect(seen.at(-1)?.kind).toBe("recovered");
    expect((await store.commit([put("a", 71, 71)])).durability).toBe("volatile");
  });

  it("writes them also while an agent does nothing but save", async () => {
    const { inner, store } = degrading({ minFlushDelayMs: 5, maxFlushDelayMs: 5 });
    inner.fail("commit", ioError("EIO"), { times: 1 });
    const end = performance.now() + 5_000;
    let n = 0;
    let durability: string;
    do ({ durability } = await store.commit([put("a", ++n, { n })]));
    while (durability === "degraded" && performance.now() < end);
    expect(durability).toBe("volatile");
    expect(store.health()).toMatchObject({ degradedSince: null, pendingCommits: 0 });
  });

  it("lets no save overtake one that waits", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    const [second, third] = await Promise.all([
      store.commit([put("a", 2, 2)]),
      store.commit([put("a", 3, 3)]),
    ]);
    expect([second.durability, third.durability]).toEqual(["degraded", "degraded"]);
    expect(await store.flush()).toBe(true);
    expect(await inner.ids("a")).toEqual(["a:1", "a:2", "a:3"]);
  });

  it("keeps saves that come while a flush is under way behind it", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    let open = (): void => {};
    inner.gate = new Promise((resolve) => {
      open = resolve;
    });
    const flushing = store.flush();
    const saving = store.commit([put("a", 2, 2)]);
    open();
    await Promise.all([flushing, saving]);
    await store.flush();
    expect(await inner.ids("a")).toEqual(["a:1", "a:2"]);
  });

  it("is bounded: what does not fit is refused, what was kept stays kept", async () => {
    const { inner, store } = degrading({ maxBytes: 10_000 });
    inner.fail("commit", ioError("ENOSPC"));
    await store.commit([put("a", 1, { text: "x".repeat(5_000) })]);
    const error = await errorOf(store.commit([put("a", 2, { text: "y".repeat(8_000) })]));
    expect(error).toMatchObject({ code: "CKPT_MEMORY_FULL", cause: { code: "CKPT_NO_SPACE" } });
    expect(error.hint).toContain("memoryBytesWhenDegraded");
    inner.heal();
    await store.flush();
    expect(await inner.ids("a")).toEqual(["a:1"]);
  });

  it("counts what states do not share, not their whole size", async () => {
    const { inner, store } = degrading({ maxBytes: 60_000 });
    inner.fail("commit", ioError("ENOSPC"));
    const big = "x".repeat(20_000);
    let previous = snapshot({ big, n: 0 });
    for (let n = 1; n <= 40; n++) {
      previous = snapshot({ big, n }, { previous });
      await store.commit([{ ...put("a", n, null), snapshot: previous }]);
    }
    expect(store.health().pendingCommits).toBe(40);
    expect(store.health().pendingBytes).toBeLessThan(60_000);
  });

  it("passes on a refusal of the call itself, and keeps nothing", async () => {
    const { store } = degrading();
    await store.commit([put("a", 5, 5)]);
    expect((await errorOf(store.commit([put("a", 5, 6)]))).code).toBe("CKPT_CONFLICT");
    expect(store.health().pendingCommits).toBe(0);
  });

  it("refuses while degraded what the place would refuse", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    expect((await errorOf(store.commit([put("a", 2, 3)]))).code).toBe("CKPT_CONFLICT");
    expect((await store.commit([put("a", 2, 2)])).durability).toBe("degraded");
  });

  it("takes a commit that was reported as failed and had done its work for the same one", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"), { times: 1, afterwards: true });
    expect((await store.commit([put("a", 1, { n: 1 })])).durability).toBe("degraded");
    expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:1"]);
    expect(await store.flush()).toBe(true);
    expect(await inner.ids("a")).toEqual(["a:1"]);
  });

  it("answers reads from memory while the place cannot be read either, and says that it may be stale", async () => {
    const { inner, store } = degrading();
    await store.acquire("a");
    await store.commit([put("a", 1, 1)]);
    inner.unplug();
    await store.commit([put("a", 2, 2)]);
    expect((await store.agent("a"))?.lastSequence).toBe(2);
    expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:2"]);
    expect(store.takeFindings()).toMatchObject([{ kind: "stale" }]);
    expect(store.takeFindings()).toEqual([]);
  });

  it("holds up only the agent whose batch the store refuses for good", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    await store.commit([put("b", 1, 1)]);
    await inner.commit([put("a", 1, "someone else's")]);
    expect(await store.flush()).toBe(false);
    expect(await inner.ids("b")).toEqual(["b:1"]);
    expect(store.health()).toMatchObject({ pendingIds: ["a:1"], lastError: { code: "CKPT_CONFLICT" } });
    expect((await store.commit([put("b", 2, 2)])).durability).toBe("volatile");
    await store.close({ discard: true });
  });

  it("does not close over saves that are in memory only, and stays usable", async () => {
    const { inner, store } = degrading();
    inner.fail("commit", ioError("ENOSPC"));
    await store.commit([put("a", 1, 1)]);
    const error = await errorOf(store.close({ timeoutMs: 30 }));
    expect(error).toMatchObject({ code: "CKPT_NOT_FLUSHED", details: { pendingIds: ["a:1"] } });
    expect((await store.commit([put("a", 2, 2)])).durability).toBe("degraded");
    inner.heal();
    await store.close();
    expect(inner.batches.at(-1)?.map((entry) => (entry.op === "put" ? entry.header.id : entry.op))).toEqual([
      "a:1",
      "a:2",
    ]);
    expect((await errorOf(store.list("a"))).code).toBe("CKPT_CLOSED");
  });

  it("never loses or reorders an acknowledged save, whatever fails when", async () => {
    const runs = Number(process.env.CKPT_PROPERTY_RUNS ?? 200);
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constant("save" as const), agent: fc.constantFrom("a", "b") }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("fail" as const),
          times: fc.integer({ min: 1, max: 4 }),
          afterwards: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { inner, store } = degrading();
        const next = { a: 0, b: 0 } as Record<string, number>;
        const saves: Promise<unknown>[] = [];
        for (const what of steps) {
          if (what.do === "save") {
            const n = ++next[what.agent]!;
            saves.push(store.commit([put(what.agent, n, { n })]));
          } else if (what.do === "fail") inner.fail("commit", ioError("EIO"), what);
          else if (what.do === "heal") inner.heal();
          else await store.flush();
        }
        await Promise.all(saves);
        inner.heal();
        expect(await store.flush()).toBe(true);
        for (const agent of ["a", "b"]) {
          const wanted = Array.from({ length: next[agent]! }, (_, i) => `${agent}:${i + 1}`);
          expect(await inner.ids(agent)).toEqual(wanted);
        }
      }),
      { numRuns: runs },
    );
  });
});
