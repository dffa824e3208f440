import type { CheckpointStore, StoreEntry } from "@ckpt/core";
import { type PlacesStore, withFallback } from "@ckpt/resilient";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorOf, put, until } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const still = { minProbeDelayMs: 600_000, maxProbeDelayMs: 600_000 };

async function bench(count = 1) {
  const primary = new FaultyStore();
  const others = Array.from({ length: count }, () => new FaultyStore());
  const open = async (): Promise<PlacesStore> => {
    const [first, ...rest] = others;
    const store = withFallback(primary, first!, ...rest, still);
    await store.acquire("a");
    return store;
  };
  /** A new process on the same places: what the former one held is free. */
  const restart = async (former: PlacesStore): Promise<PlacesStore> => {
    for (const place of [primary, ...others]) place.freeLeases();
    former.health();
    return open();
  };
  return { primary, fallback: others[0]!, others, store: await open(), restart };
}

const event = (what: Extract<StoreEntry, { op: "event" }>["event"]): StoreEntry => ({
  op: "event",
  agentId: "a",
  event: what,
});
const idsIn = async (store: CheckpointStore) => (await store.list("a")).map(({ id }) => id);

describe("withFallback", () => {
  it("refuses a single place", () => {
    expect(() => withFallback(new FaultyStore(), still)).toThrow(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
  });

  it("leaves the other places empty while the primary is well", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    expect(await primary.ids("a")).toEqual(["a:1"]);
    expect(fallback.batches).toEqual([]);
    expect(store.health().places).toMatchObject([
      { place: "primary", state: "active" },
      { place: "fallback-1", state: "standby" },
    ]);
  });

  it("moves on when the primary fails, and records the move in the same commit", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    const kinds = fallback.batches[0]!.map((entry) => (entry.op === "event" ? entry.event.kind : entry.op));
    expect(kinds).toEqual(["put", "note"]);
    expect(await fallback.ids("a")).toEqual(["a:2"]);
    expect(store.health().places).toMatchObject([
      { state: "dropped", lastError: { code: "CKPT_IO" } },
      { state: "active" },
    ]);
  });

  it("reads the history as one while it is spread, and hides its own notes", async () => {
    const { primary, store } = await bench();
    await store.commit([put("a", 1, 1), event({ kind: "note", topic: "mine", body: 1 })]);
    await store.commit([put("a", 2, 2)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 3, 3)]);
    expect(await idsIn(store)).toEqual(["a:1", "a:2", "a:3"]);
    expect((await store.list("a", { reverse: true, limit: 2 })).map(({ id }) => id)).toEqual(["a:3", "a:2"]);
    expect((await store.load("a", "a:1")).toValue()).toBe(1);
    expect((await store.load("a", "a:3")).toValue()).toBe(3);
    expect(await store.agent("a")).toMatchObject({
      headId: "a:3",
      lastSequence: 3,
      count: 3,
      notes: { mine: 1 },
    });
    expect(Object.keys((await store.agent("a"))!.notes)).toEqual(["mine"]);
  });

  it("keeps head, guards and pins across the move and a new process, the primary unreadable", async () => {
    const { primary, store, restart } = await bench();
    await store.commit([put("a", 1, 1), event({ kind: "pinned", checkpointId: "a:1" })]);
    await store.commit([
      put("a", 2, 2),
      event({ kind: "guard-begun", guardId: "g1", operation: "one", checkpointId: "a:2" }),
      event({ kind: "guard-begun", guardId: "g2", operation: "two", checkpointId: "a:2" }),
    ]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([event({ kind: "head", checkpointId: "a:1", reason: "restore" })]);
    await store.commit([event({ kind: "guard-done", guardId: "g1", outcome: "completed" })]);
    primary.unplug();
    const again = await restart(store);
    expect(await again.agent("a")).toMatchObject({
      headId: "a:1",
      lastSequence: 2,
      pinnedIds: ["a:1"],
      openGuards: [{ guardId: "g2" }],
    });
    expect(again.takeFindings().map(({ kind, place }) => [kind, place])).toEqual([["stale", "primary"]]);
  });

  it("takes the newest word of all places when it is opened again", async () => {
    const { primary, store, restart } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    primary.heal();
    const again = await restart(store);
    expect(await again.agent("a")).toMatchObject({ headId: "a:2", lastSequence: 2 });
    await again.commit([put("a", 3, 3)]);
    expect(await primary.ids("a")).toEqual(["a:1"]);
    expect(await idsIn(again)).toEqual(["a:1", "a:2", "a:3"]);
  });

  it("gives the primary what it missed, in order, when it is well again, and empties the place that stood in", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1), put("a", 2, 2)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 3, 3), event({ kind: "pinned", checkpointId: "a:3" })]);
    await store.commit([put("a", 4, 4)]);
    await store.commit([{ op: "remove", agentId: "a", ids: ["a:1"], reason: "retention" }]);
    await store.commit([event({ kind: "head", checkpointId: "a:2", reason: "restore" })]);
    expect(await idsIn(store)).toEqual(["a:2", "a:3", "a:4"]);
    primary.heal();
    expect(await store.reconcile()).toBe(true);
    expect(await primary.ids("a")).toEqual(["a:2", "a:3", "a:4"]);
    expect(await fallback.ids("a")).toEqual([]);
    expect(await store.agent("a")).toMatchObject({ headId: "a:2", pinnedIds: ["a:3"], lastSequence: 4 });
    await store.commit([put("a", 5, 5)]);
    expect(await primary.ids("a")).toEqual(["a:2", "a:3", "a:4", "a:5"]);
    expect(store.health().places.map(({ state }) => state)).toEqual(["active", "standby"]);
  });

  it("comes back by itself, and says so", async () => {
    const primary = new FaultyStore();
    const store = withFallback(primary, new FaultyStore(), { minProbeDelayMs: 5, maxProbeDelayMs: 5 });
    await store.acquire("a");
    const seen: string[] = [];
    store.onIncident(({ kind }) => seen.push(kind));
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 1, 1)]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    primary.heal();
    await until(() => seen.includes("place-returned"));
    expect(await primary.ids("a")).toEqual(["a:1"]);
    await store.close();
  });

  it("stays where it is when the copying fails half-way, and finishes it later", async () => {
    const { primary, store, restart } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"));
    for (const n of [2, 3, 4]) await store.commit([put("a", n, n)]);
    primary.fail("commit", ioError("EIO"), { times: 0 });
    primary.failFrom("commit", 3, ioError("EIO"));
    expect(await store.reconcile()).toBe(false);
    expect(await idsIn(store)).toEqual(["a:1", "a:2", "a:3", "a:4"]);
    const again = await restart(store);
    expect(await again.agent("a")).toMatchObject({ headId: "a:4", lastSequence: 4 });
    primary.heal();
    expect(await again.reconcile()).toBe(true);
    expect(await primary.ids("a")).toEqual(["a:1", "a:2", "a:3", "a:4"]);
  });

  it("keeps what was removed and put anew under its old id while the primary was out", async () => {
    const { primary, store, restart } = await bench();
    await store.commit([put("a", 1, 1), put("a", 2, 2)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 3, 3)]);
    await store.commit([{ op: "remove", agentId: "a", ids: ["a:1", "a:2", "a:3"], reason: "cleared" }]);
    expect(await idsIn(store)).toEqual([]);
    const anew = (id: string, sequence: number, value: unknown): StoreEntry => {
      const entry = put("a", sequence, value);
      return { ...entry, header: { ...entry.header, id } };
    };
    await store.commit([anew("a:1", 4, 1), anew("a:3", 5, "another")]);
    const check = async (where: CheckpointStore) => {
      expect(await idsIn(where)).toEqual(["a:1", "a:3"]);
      expect((await where.get("a", "a:1"))?.sequence).toBe(4);
      expect((await where.load("a", "a:3")).toValue()).toBe("another");
    };
    await check(store);
    primary.heal();
    const again = await restart(store);
    await check(again);
    expect(await again.reconcile()).toBe(true);
    await check(again);
    await check(primary);
  });

  it("removes nothing from a fallback that could not be read to its end while the primary was brought back", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"));
    for (let n = 2; n <= 200; n++) await store.commit([put("a", n, n)]);
    primary.heal();
    fallback.failFrom("list", 3, ioError("EIO"));
    expect(await store.reconcile()).toBe(false);
    fallback.heal();
    expect(await idsIn(store)).toHaveLength(200);
    expect(await store.reconcile()).toBe(true);
    expect(await primary.ids("a")).toHaveLength(200);
    expect(await store.agent("a")).toMatchObject({ headId: "a:200" });
  });

  it("removes nothing from a primary that a save moved to while it was to be brought back", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    primary.heal();
    const letGo = fallback.hold();
    const saving = store.commit([put("a", 3, 3)]);
    const reconciling = store.reconcile();
    await new Promise((resolve) => setTimeout(resolve, 20));
    fallback.fail("commit", ioError("EIO"));
    letGo();
    await saving;
    await reconciling;
    fallback.heal();
    expect(await idsIn(store)).toEqual(["a:1", "a:2", "a:3"]);
    await store.reconcile();
    expect(await idsIn(store)).toEqual(["a:1", "a:2", "a:3"]);
  });

  it("removes nothing from a fallback that a save moved to while it was to be emptied", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    primary.heal();
    fallback.fail("commit", ioError("EIO"), { times: 2 });
    expect(await store.reconcile()).toBe(false);
    expect([await primary.ids("a"), await fallback.ids("a")]).toEqual([["a:1", "a:2"], ["a:2"]]);
    const letGo = primary.hold();
    const saving = store.commit([put("a", 3, 3)]);
    const reconciling = store.reconcile();
    await new Promise((resolve) => setTimeout(resolve, 20));
    primary.fail("commit", ioError("EIO"));
    letGo();
    await saving;
    await reconciling;
    expect(await idsIn(store)).toEqual(["a:1", "a:2", "a:3"]);
    expect(await fallback.ids("a")).toContain("a:3");
  });

  it("fills a primary that was replaced by an empty one", async () => {
    const fallback = new FaultyStore();
    await fallback.commit([put("a", 1, 1), put("a", 2, 2)]);
    const primary = new FaultyStore();
    const store = withFallback(primary, fallback, still);
    await store.acquire("a");
    expect(await idsIn(store)).toEqual(["a:1", "a:2"]);
    await store.reconcile();
    expect(await primary.ids("a")).toEqual(["a:1", "a:2"]);
    expect(await idsIn(store)).toEqual(["a:1", "a:2"]);
  });

  it("takes no batch that was never acknowledged for the newest word", async () => {
    const { primary, fallback, store, restart } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"), { times: 1 });
    fallback.fail("commit", ioError("EIO"), { times: 1, afterwards: true });
    expect((await errorOf(store.commit([put("a", 2, 2)]))).code).toBe("CKPT_ALL_FAILED");
    expect(await fallback.ids("a")).toEqual(["a:2"]);
    await store.commit([event({ kind: "head", checkpointId: "a:1", reason: "restore" })]);
    const again = await restart(store);
    expect(await again.agent("a")).toMatchObject({ headId: "a:1", lastSequence: 2 });
  });

  it("does not begin anew while the place that may have the history cannot be read", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.unplug();
    primary.freeLeases();
    fallback.freeLeases();
    const again = withFallback(primary, fallback, still);
    expect((await errorOf(again.acquire("a"))).code).toBe("CKPT_IO");
    primary.heal();
    await again.acquire("a");
    expect(await idsIn(again)).toEqual(["a:1"]);
  });

  it("takes nothing that stood in once, and was handed over, for the newest word", async () => {
    const { primary, fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    primary.heal();
    await store.reconcile();
    await store.commit([put("a", 3, 3)]);
    primary.unplug();
    primary.freeLeases();
    fallback.freeLeases();
    const again = withFallback(primary, fallback, still);
    expect((await errorOf(again.acquire("a"))).code).toBe("CKPT_IO");
  });

  it("writes nothing into a place that holds another history, and removes nothing from it", async () => {
    const primary = new FaultyStore();
    const fallback = new FaultyStore();
    await primary.commit([put("a", 1, "one's own")]);
    await fallback.commit([put("a", 1, "other"), put("a", 2, "other")]);
    const store = withFallback(primary, fallback, still);
    await store.acquire("a");
    expect(await store.reconcile()).toBe(false);
    await store.commit([put("a", 3, 3)]);
    expect(await primary.ids("a")).toEqual(["a:1"]);
    expect((await primary.load("a", "a:1")).toValue()).toBe("one's own");
    expect(store.takeFindings()).toMatchObject([{ kind: "superseded", place: "primary: a" }]);
  });

  it("goes on to the third place, and says what was tried when none is left", async () => {
    const { primary, others, store } = await bench(2);
    primary.fail("commit", ioError("EIO"));
    others[0]!.fail("commit", ioError("ENOSPC"));
    await store.commit([put("a", 1, 1)]);
    expect(await others[1]!.ids("a")).toEqual(["a:1"]);
    others[1]!.fail("commit", ioError("EACCES"));
    const error = await errorOf(store.commit([put("a", 2, 2)]));
    expect(error.code).toBe("CKPT_ALL_FAILED");
    expect((error.details.tried as { place: string }[]).map(({ place }) => place).sort()).toEqual([
      "fallback-1",
      "fallback-2",
      "primary",
    ]);
    others[1]!.heal();
    await store.commit([put("a", 2, 2)]);
    expect(await idsIn(store)).toEqual(["a:1", "a:2"]);
  });

  it("passes on a refusal without asking another place", async () => {
    const { fallback, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    expect((await errorOf(store.commit([put("a", 1, 2)]))).code).toBe("CKPT_CONFLICT");
    expect(fallback.batches).toEqual([]);
  });

  it("says that a history is spread where both places have failed by turns, and reads it whole", async () => {
    const { primary, fallback, store, restart } = await bench();
    primary.fail("commit", ioError("EIO"));
    await store.commit([put("a", 1, 1)]);
    primary.heal();
    fallback.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    expect(await idsIn(store)).toEqual(["a:1", "a:2"]);
    const spread = [expect.stringMatching(/^The history of agent a is spread: primary has gone on/)];
    expect(store.takeFindings().map(({ message }) => message)).toEqual(spread);
    fallback.heal();
    const again = await restart(store);
    expect(await idsIn(again)).toEqual(["a:1", "a:2"]);
    expect(again.takeFindings().map(({ message }) => message)).toEqual(spread);
  });

  it("does not take a place for one with another history because a save overtook the copies of older ones", async () => {
    const { primary, fallback, store } = await bench();
    primary.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    const load = fallback.load.bind(fallback);
    let goOn = (): void => {};
    const overtaken = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let reconciled: Promise<boolean> | undefined;
    await new Promise<void>((reading) => {
      fallback.load = async (...args) => {
        reading();
        await overtaken;
        return load(...args);
      };
      reconciled = store.reconcile();
    });
    fallback.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 2, 2)]);
    goOn();
    await reconciled;
    expect(store.takeFindings().filter(({ kind }) => kind === "superseded")).toEqual([]);
    await store.commit([put("a", 3, 3)]);
    expect(await primary.ids("a")).toEqual(["a:2", "a:3"]);
    expect(await idsIn(store)).toEqual(["a:1", "a:2", "a:3"]);
  });

  it("takes a batch over two agents whole, where one of them has moved already", async () => {
    const { primary, store } = await bench();
    await store.acquire("b");
    primary.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    await store.commit([put("a", 2, 2), put("b", 1, 1)]);
    expect(await idsIn(store)).toEqual(["a:1", "a:2"]);
    expect((await store.list("b")).map(({ id }) => id)).toEqual(["b:1"]);
  });

  it("loses no acknowledged save and no head, whatever fails and restarts when", async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant({ do: "save" } as const) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("head" as const), back: fc.nat(5) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("fail" as const),
          place: fc.nat(1),
          times: fc.integer({ min: 1, max: 5 }),
          afterwards: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const), place: fc.nat(1) }) },
      { weight: 2, arbitrary: fc.constant({ do: "reconcile" } as const) },
      { weight: 1, arbitrary: fc.constant({ do: "restart" } as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const it = await bench();
        let { store } = it;
        const places = [it.primary, it.fallback];
        const saved: string[] = [];
        let sequence = 0;
        let head: string | null = null;
        const unsure = new Set<string | null>();
        for (const what of steps) {
          if (what.do === "save") {
            sequence++;
            const entry = put("a", sequence, { sequence });
            const done = await store.commit([entry]).then(
              () => true,
              () => false,
            );
            if (done) {
              saved.push(entry.header.id);
              head = entry.header.id;
              unsure.clear();
            } else unsure.add(entry.header.id);
          } else if (what.do === "head" && saved.length > 0) {
            const checkpointId = saved[Math.max(0, saved.length - 1 - what.back)]!;
            const move = event({ kind: "head", checkpointId, reason: "restore" });
            if (
              await store.commit([move]).then(
                () => true,
                () => false,
              )
            ) {
              head = checkpointId;
              unsure.clear();
            } else unsure.add(checkpointId);
          } else if (what.do === "fail") places[what.place]!.fail("commit", ioError("EIO"), what);
          else if (what.do === "heal") places[what.place]!.heal();
          else if (what.do === "reconcile") await store.reconcile();
          else if (what.do === "restart") store = await it.restart(store);
        }
        for (const place of places) place.heal();
        store = await it.restart(store);
        const check = async () => {
          // A batch that was not acknowledged may be there whole, or not at all.
          const ids = await idsIn(store);
          expect(ids).toEqual(expect.arrayContaining(saved));
          expect([head, ...unsure]).toContain((await store.agent("a"))?.headId ?? null);
          for (const id of ids)
            expect((await store.load("a", id)).toValue()).toEqual({ sequence: Number(id.slice(2)) });
        };
        await check();
        await store.reconcile();
        await check();
      }),
      { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 200) },
    );
  });
});
