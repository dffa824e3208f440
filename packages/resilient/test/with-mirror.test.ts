import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CheckpointStore, CkptError, type StoreEntry } from "@ckpt/core";
import { DiskStore, type PlacesStore, withMirror } from "@ckpt/resilient";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorOf, put, until } from "./support/agent-bench.js";
import { temporaryDirectory } from "./support/child.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const still = { minProbeDelayMs: 600_000, maxProbeDelayMs: 600_000 };
const event = (what: Extract<StoreEntry, { op: "event" }>["event"]): StoreEntry => ({
  op: "event",
  agentId: "a",
  event: what,
});
const idsIn = async (store: CheckpointStore, agentId = "a") =>
  (await store.list(agentId)).map(({ id }) => id);

async function bench() {
  const [a, b] = [new FaultyStore(), new FaultyStore()];
  const open = async (): Promise<PlacesStore> => {
    const store = withMirror(a, b, still);
    await store.acquire("a");
    return store;
  };
  const restart = async (): Promise<PlacesStore> => {
    for (const place of [a, b]) place.freeLeases();
    return open();
  };
  return { a, b, store: await open(), restart };
}

describe("withMirror", () => {
  it("takes a mirror that an abort reached alone for one that is behind, not for one with another history", async () => {
    const { a, b, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    b.fail("commit", new CkptError("CKPT_ABORTED", { message: "aborted", hint: "Call it again." }));
    await store.commit([put("a", 2, 2)]);
    b.heal();
    expect(await store.reconcile()).toBe(true);
    expect(await idsIn(b)).toEqual(await idsIn(a));
    expect(store.takeFindings()).toEqual([]);
  });

  it("copies a checkpoint that could not be read the first time: past it, the mirror could never take it", async () => {
    const { a, b, store } = await bench();
    b.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    a.fail("load", new CkptError("CKPT_CORRUPT", { message: "damaged", hint: "Read it again." }), {
      times: 2,
    });
    expect(await store.reconcile()).toBe(true);
    expect(await idsIn(b)).toEqual(["a:1"]);
  });

  it("acknowledges when both have it", async () => {
    const { a, b, store } = await bench();
    let open = (): void => {};
    b.gate = new Promise((resolve) => {
      open = resolve;
    });
    let acknowledged = false;
    const saving = store.commit([put("a", 1, 1)]).then(() => {
      acknowledged = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(acknowledged).toBe(false);
    open();
    await saving;
    expect([await a.ids("a"), await b.ids("a")]).toEqual([["a:1"], ["a:1"]]);
  });

  it("drops a mirror that fails, and has that on record in the other before it acknowledges", async () => {
    const { a, b, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    a.fail("commit", ioError("EIO"));
    const receipt = await store.commit([put("a", 2, 2)]);
    expect(receipt.headers.map(({ id }) => id)).toEqual(["a:2"]);
    const recorded = (await b.agent("a"))!.notes["ckpt.places"];
    expect(recorded).toMatchObject({ dropped: ["mirror-1"], complete: true });
    expect(store.health().places).toMatchObject([
      { place: "mirror-1", state: "dropped" },
      { state: "active" },
    ]);
    expect(await idsIn(store)).toEqual(["a:1", "a:2"]);
  });

  it("acknowledges nothing when the drop cannot be recorded", async () => {
    const { a, b, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    a.fail("commit", ioError("EIO"));
    b.failFrom("commit", 2, ioError("EIO"));
    expect((await errorOf(store.commit([put("a", 2, 2)]))).code).toBe("CKPT_ALL_FAILED");
  });

  it("reads from the newer one after a restart, and brings the other level in order", async () => {
    const { a, b, store, restart } = await bench();
    await store.commit([put("a", 1, 1), put("a", 2, 2)]);
    a.fail("commit", ioError("EIO"));
    await store.commit([put("a", 3, 3), event({ kind: "pinned", checkpointId: "a:3" })]);
    await store.commit([{ op: "remove", agentId: "a", ids: ["a:1"], reason: "retention" }]);
    await store.commit([event({ kind: "head", checkpointId: "a:2", reason: "restore" })]);
    a.heal();
    const again = await restart();
    expect(await idsIn(again)).toEqual(["a:2", "a:3"]);
    expect(await again.agent("a")).toMatchObject({ headId: "a:2", lastSequence: 3 });
    expect(await again.reconcile()).toBe(true);
    expect(await a.ids("a")).toEqual(["a:2", "a:3"]);
    expect(await a.agent("a")).toMatchObject({ headId: "a:2", pinnedIds: ["a:3"] });
    await again.commit([put("a", 4, 4)]);
    expect([await a.ids("a"), await b.ids("a")]).toEqual([
      ["a:2", "a:3", "a:4"],
      ["a:2", "a:3", "a:4"],
    ]);
  });

  it("writes to a mirror again from the moment on in which it is level, also while other agents are still being copied", async () => {
    const [a, b] = [new FaultyStore(), new FaultyStore()];
    const store = withMirror(a, b, still);
    const agents = ["a", "b", "c"];
    for (const id of agents) await store.acquire(id);
    const sequences = new Map(agents.map((id) => [id, 0]));
    const save = (id: string) => {
      const sequence = sequences.get(id)! + 1;
      sequences.set(id, sequence);
      return store.commit([put(id, sequence, sequence)]);
    };
    b.fail("commit", ioError("EIO"));
    for (const id of agents) for (let i = 0; i < 100; i++) await save(id);
    b.heal();
    let isDone = false;
    const reconciling = store.reconcile().finally(() => {
      isDone = true;
    });
    const goOn = async (id: string) => {
      // No turn of the event loop in between: nothing in memory takes one, so the saves would all come before or after.
      for (let i = 0; i < 1_000 && !isDone; i++) await Promise.all([save(id), save(id)]);
    };
    await Promise.all(agents.map(goOn));
    expect(await reconciling).toBe(true);
    for (const id of agents) await save(id);
    for (const id of agents) expect(await b.ids(id), id).toEqual(await a.ids(id));
    expect(store.health().places).toMatchObject([{ state: "active" }, { state: "active" }]);
  });

  it("does not say that all is well when a mirror failed again while it was brought back", async () => {
    const { b, store } = await bench();
    await store.acquire("b");
    await store.commit([put("a", 1, 1)]);
    b.fail("commit", ioError("EIO"));
    await store.commit([put("a", 2, 2)]);
    await store.commit([put("b", 1, 1)]);
    b.heal();
    // Agent a comes back (two commits), then everything fails.
    b.failFrom("commit", 3, ioError("EIO"));
    expect(await store.reconcile()).toBe(false);
    expect(store.health().places).toMatchObject([{ state: "active" }, { state: "dropped" }]);
    b.heal();
    await store.commit([put("a", 3, 3)]);
    expect(await store.reconcile()).toBe(true);
    for (const id of ["a", "b"]) expect(await idsIn(b, id)).toEqual(await idsIn(store, id));
  });

  it("goes on with the mirror that is well again, whichever it is, after both have failed a batch", async () => {
    for (const back of [0, 1]) {
      const { a, b, store } = await bench();
      const places = [a, b];
      await store.commit([put("a", 1, 1)]);
      for (const place of places) place.fail("commit", ioError("EIO"));
      expect((await errorOf(store.commit([put("a", 2, 2)]))).code).toBe("CKPT_ALL_FAILED");
      expect((await errorOf(store.commit([put("a", 2, 2)]))).code).toBe("CKPT_ALL_FAILED");
      places[back]!.heal();
      await store.commit([put("a", 2, 2)]);
      await store.commit([put("a", 3, 3)]);
      expect(await idsIn(places[back]!)).toEqual(["a:1", "a:2", "a:3"]);
      places[1 - back]!.heal();
      expect(await store.reconcile()).toBe(true);
      expect(await idsIn(places[1 - back]!)).toEqual(["a:1", "a:2", "a:3"]);
    }
  });

  it("brings back a mirror in which an id stands that was removed and put anew meanwhile", async () => {
    const { b, store } = await bench();
    await store.commit([put("a", 1, "old"), put("a", 2, 2)]);
    b.fail("commit", ioError("EIO"));
    await store.commit([{ op: "remove", agentId: "a", ids: ["a:1"], reason: "test" }]);
    const entry = put("a", 3, "new");
    await store.commit([{ ...entry, header: { ...entry.header, id: "a:1" } }]);
    b.heal();
    expect(await store.reconcile()).toBe(true);
    expect(await idsIn(b)).toEqual(["a:2", "a:1"]);
    expect((await b.load("a", "a:1")).toValue()).toBe("new");
    expect(store.takeFindings()).toEqual([]);
  });

  it("calls no mirror level that missed a save while it was brought back", async () => {
    const { a, b, store } = await bench();
    await store.commit([put("a", 1, 1), put("a", 2, 2)]);
    for (const place of [a, b]) place.fail("commit", ioError("EIO"), { times: 1 });
    await errorOf(store.commit([put("a", 3, 3)]));
    const letGo = a.hold();
    const saving = store.commit([put("a", 4, 4), event({ kind: "pinned", checkpointId: "a:4" })]);
    const reconciling = store.reconcile();
    await new Promise((resolve) => setTimeout(resolve, 20));
    a.fail("commit", ioError("EIO"), { times: 1 });
    letGo();
    await saving;
    await reconciling;
    await store.commit([put("a", 5, 5)]);
    expect(await store.reconcile()).toBe(true);
    for (const place of [a, b]) {
      expect(await idsIn(place)).toEqual(["a:1", "a:2", "a:4", "a:5"]);
      expect((await place.agent("a"))?.pinnedIds).toEqual(["a:4"]);
    }
  });

  it("carries out in a mirror that returns only what was acknowledged", async () => {
    const { a, b, store } = await bench();
    for (let n = 1; n <= 3; n++) await store.commit([put("a", n, n)]);
    a.fail("commit", ioError("EIO"));
    await store.commit([put("a", 4, 4)]);
    b.fail("commit", new CkptError("CKPT_LIMIT", { message: "too large", hint: "Save less." }), { times: 1 });
    const removal: StoreEntry = { op: "remove", agentId: "a", ids: ["a:1"], reason: "retention policy" };
    expect((await errorOf(store.commit([put("a", 5, 5), removal]))).code).toBe("CKPT_LIMIT");
    await store.commit([event({ kind: "pinned", checkpointId: "a:1" })]);
    a.heal();
    expect(await store.reconcile()).toBe(true);
    for (const place of [a, b]) expect(await idsIn(place)).toEqual(["a:1", "a:2", "a:3", "a:4"]);
  });

  it("keeps a restore and a pin that were acknowledged while a mirror could not be read at the opening", async () => {
    const { a, store, restart } = await bench();
    await store.commit([put("a", 1, 1), put("a", 2, 2)]);
    a.fail("agent", ioError("EIO"), { times: 1 });
    const second = await restart();
    await second.commit([
      event({ kind: "head", checkpointId: "a:1", reason: "restore" }),
      event({ kind: "pinned", checkpointId: "a:1" }),
    ]);
    const third = await restart();
    expect(await third.agent("a")).toMatchObject({ headId: "a:1", pinnedIds: ["a:1"] });
    expect(await third.reconcile()).toBe(true);
    expect(await a.agent("a")).toMatchObject({ headId: "a:1", pinnedIds: ["a:1"] });
  });

  it("fills an empty mirror", async () => {
    const a = new FaultyStore();
    await a.commit([put("a", 1, 1), put("a", 2, 2)]);
    const b = new FaultyStore();
    const store = withMirror(a, b, { minProbeDelayMs: 5 });
    await store.acquire("a");
    await until(async () => (await b.ids("a")).length === 2);
    await store.commit([put("a", 3, 3)]);
    expect(await b.ids("a")).toEqual(["a:1", "a:2", "a:3"]);
    await store.close();
  });

  it("reads a damaged state from the other mirror, says so, and puts it back, the head where it was", async () => {
    const { a, store } = await bench();
    await store.commit([put("a", 1, { n: 1 }), put("a", 2, { n: 2 })]);
    a.damage("a:1");
    expect((await store.load("a", "a:1")).toValue()).toEqual({ n: 1 });
    expect(store.takeFindings()).toMatchObject([
      { kind: "damaged", place: "mirror-1: a:1", affectedIds: [] },
    ]);
    await store.close();
    const [first, second] = a.batches.at(-1)!;
    expect(first).toMatchObject({ op: "put", header: { id: "a:1", sequence: 1 } });
    expect(second).toMatchObject({ event: { kind: "head", checkpointId: "a:2" } });
  });

  it("repairs a real disk from the other one", async () => {
    const root = await temporaryDirectory();
    const [one, two] = [join(root, "one"), join(root, "two")];
    const open = async () => {
      const [a, b] = [new DiskStore(one), new DiskStore(two)];
      const store = withMirror(a, b, still);
      return { store, lease: await store.acquire("a") };
    };
    const first = await open();
    await first.store.commit([put("a", 1, { text: "the first state" })]);
    await first.store.commit([put("a", 2, { text: "the second state" })]);
    await first.lease.release();
    await first.store.close();
    const files = (await readdir(one, { recursive: true })).filter((file) => file.endsWith(".seg"));
    const path = join(one, files[0]!);
    const bytes = await readFile(path);
    const at = bytes.indexOf("the first state");
    expect(at).toBeGreaterThan(0);
    bytes[at] = bytes[at]! ^ 1;
    await writeFile(path, bytes);
    const second = await open();
    expect((await second.store.load("a", "a:1")).toValue()).toEqual({ text: "the first state" });
    await second.store.close();
    const alone = new DiskStore(one);
    expect((await alone.load("a", "a:1")).toValue()).toEqual({ text: "the first state" });
    expect((await alone.load("a", "a:2")).toValue()).toEqual({ text: "the second state" });
    expect(await alone.agent("a")).toMatchObject({ headId: "a:2", lastSequence: 2, count: 2 });
    await alone.close();
  });

  it("rejects with the damage when both are damaged", async () => {
    const { a, b, store } = await bench();
    await store.commit([put("a", 1, 1)]);
    a.damage("a:1");
    b.damage("a:1");
    expect((await errorOf(store.load("a", "a:1"))).code).toBe("CKPT_CORRUPT");
  });

  it("lets no other state stand in for a damaged one, and names the disagreement", async () => {
    const a = new FaultyStore();
    const b = new FaultyStore();
    await a.commit([put("a", 1, "one")]);
    await b.commit([put("a", 1, "other")]);
    const store = withMirror(a, b, still);
    await store.acquire("a");
    a.damage("a:1");
    expect((await errorOf(store.load("a", "a:1"))).code).toBe("CKPT_CORRUPT");
    const findings = [];
    for await (const finding of store.verify()) findings.push(finding);
    expect(findings).toMatchObject([{ kind: "superseded", affectedIds: ["a:1"] }]);
  });

  it("overwrites neither of two mirrors that disagree", async () => {
    const a = new FaultyStore();
    const b = new FaultyStore();
    await a.commit([put("a", 1, "one"), put("a", 2, 2)]);
    await b.commit([put("a", 1, "other")]);
    const store = withMirror(a, b, still);
    await store.acquire("a");
    expect(await store.reconcile()).toBe(false);
    expect(store.takeFindings()).toMatchObject([{ kind: "superseded", place: "mirror-2: a" }]);
    await store.commit([put("a", 3, 3)]);
    expect([await a.ids("a"), await b.ids("a")]).toEqual([["a:1", "a:2", "a:3"], ["a:1"]]);
    expect((await b.load("a", "a:1")).toValue()).toBe("other");
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
        const places = [it.a, it.b];
        const saved: string[] = [];
        let sequence = 0;
        let head: string | null = null;
        const unsure = new Set<string | null>();
        for (const what of steps) {
          if (what.do === "save") {
            const id = `a:${++sequence}`;
            const done = await store.commit([put("a", sequence, { sequence })]).then(
              () => true,
              () => false,
            );
            if (done) {
              saved.push(id);
              head = id;
              unsure.clear();
            } else unsure.add(id);
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
          else if (what.do === "restart") store = await it.restart();
        }
        for (const place of places) place.heal();
        store = await it.restart();
        const check = async () => {
          // A batch that was not acknowledged may be there whole, or not at all.
          const ids = await idsIn(store);
          expect(ids).toEqual(expect.arrayContaining(saved));
          for (const id of ids)
            expect((await store.load("a", id)).toValue()).toEqual({ sequence: Number(id.slice(2)) });
          expect([head, ...unsure]).toContain((await store.agent("a"))?.headId ?? null);
        };
        await check();
        await store.reconcile();
        await check();
      }),
      { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 200) },
    );
  });
});
