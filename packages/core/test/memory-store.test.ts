import { type CheckpointDraft, MemoryStore, type StoreEntry, snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";

const draft = (sequence: number, more: Partial<CheckpointDraft> = {}): CheckpointDraft => ({
  id: `a:${sequence}`,
  agentId: "a",
  sequence,
  name: "step",
  timestamp: "2026-01-31T09:00:00+00:00",
  parentId: null,
  metadata: {},
  schemaVersion: null,
  ...more,
});
const put = (
  sequence: number,
  state: unknown = sequence,
  more: Partial<CheckpointDraft> = {},
): StoreEntry => ({
  op: "put",
  header: draft(sequence, more),
  snapshot: snapshot(state),
});
const remove = (...ids: string[]): StoreEntry => ({ op: "remove", agentId: "a", ids, reason: "test" });
const head = (checkpointId: string): StoreEntry => ({
  op: "event",
  agentId: "a",
  event: { kind: "head", checkpointId, reason: "test" },
});

describe("the memory store", () => {
  it("says what it can do, and gives receipts that promise no more", async () => {
    const store = new MemoryStore();
    expect(store.supports).toEqual({ durable: false, leases: false, fencing: false, maintenance: false });
    const receipt = await store.commit([put(1), put(2)]);
    expect(receipt).toMatchObject({ durability: "volatile", bytesWritten: 0 });
    expect(receipt.headers.map(({ id }) => id)).toEqual(["a:1", "a:2"]);
    expect(receipt.headers[0]?.stateHash).toBe(snapshot(1).hash);
  });

  it("applies all entries of a batch or none", async () => {
    const store = new MemoryStore();
    await store.commit([put(1)]);
    const before = await store.agent("a");
    const bad = store.commit([put(2), remove("a:1"), head("a:2"), put(2, "other")]);
    await expect(bad).rejects.toMatchObject({ code: "CKPT_CONFLICT", details: { checkpointId: "a:2" } });
    expect(await store.agent("a")).toEqual(before);
    expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:1"]);
  });

  it("takes the same checkpoint twice as one, also within a batch, and refuses another under its id", async () => {
    const store = new MemoryStore();
    const [first] = (await store.commit([put(1, "x"), put(2)])).headers;
    const again = await store.commit([put(1, "x"), put(1, "x")]);
    expect(again.headers).toEqual([first, first]);
    expect(await store.agent("a")).toMatchObject({ count: 2, headId: "a:2" });
    for (const entry of [put(1, "y"), put(9, "x", { id: "a:1" }), put(2, "new", { id: "a:x" }), put(0)])
      await expect(store.commit([entry])).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    expect(await store.agent("a")).toMatchObject({ count: 2, lastSequence: 2 });
  });

  it("remembers the last sequence when everything was removed", async () => {
    const store = new MemoryStore();
    await store.commit([put(1), put(2)]);
    await store.commit([remove("a:1", "a:2", "a:3")]);
    expect(await store.agent("a")).toMatchObject({ count: 0, lastSequence: 2, headId: null });
    await expect(store.commit([put(2)])).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    await store.commit([put(3)]);
    expect((await store.agent("a"))?.headId).toBe("a:3");
  });

  it("filters headers by every condition together, in either direction", async () => {
    const store = new MemoryStore();
    await store.commit(
      Array.from({ length: 10 }, (_, i) => put(2 * i + 2, i, { name: i % 2 ? "odd" : "even" })),
    );
    const sequences = async (query: object) => (await store.list("a", query)).map(({ sequence }) => sequence);
    expect(await sequences({ name: "odd", afterSequence: 4, beforeSequence: 16 })).toEqual([8, 12]);
    expect(await sequences({ afterSequence: 5, limit: 2 })).toEqual([6, 8]);
    expect(await sequences({ reverse: true, limit: 3 })).toEqual([20, 18, 16]);
    expect(await sequences({ reverse: true, name: "even", beforeSequence: 10, afterSequence: 2 })).toEqual([
      6,
    ]);
    expect(await sequences({ limit: 0 })).toEqual([]);
    expect(await sequences({ afterSequence: 8, beforeSequence: 8 })).toEqual([]);
    expect(await store.list("unknown")).toEqual([]);
  });

  it("keeps heads, guards, pins and notes, and forgets those of what was removed", async () => {
    const store = new MemoryStore();
    const note = { topic: "__proto__", body: { n: [1] } };
    await store.commit([
      put(1),
      put(2),
      head("a:1"),
      {
        op: "event",
        agentId: "a",
        event: { kind: "guard-begun", guardId: "g", operation: "drop", checkpointId: "a:1" },
      },
      { op: "event", agentId: "a", event: { kind: "pinned", checkpointId: "a:2" } },
      { op: "event", agentId: "a", event: { kind: "pinned", checkpointId: "a:9" } },
      { op: "event", agentId: "a", event: { kind: "note", ...note } },
    ]);
    note.body.n.push(2);
    const agent = await store.agent("a");
    expect(agent).toMatchObject({
      headId: "a:1",
      openGuards: [{ guardId: "g", operation: "drop", checkpointId: "a:1" }],
      pinnedIds: ["a:2"],
    });
    expect(Object.entries(agent!.notes)).toEqual([["__proto__", { n: [1] }]]);
    await store.commit([
      remove("a:2", "a:1"),
      { op: "event", agentId: "a", event: { kind: "guard-done", guardId: "g", outcome: "completed" } },
    ]);
    expect(await store.agent("a")).toMatchObject({ headId: null, openGuards: [], pinnedIds: [] });
  });

  it("keeps agents apart, and lists them sorted", async () => {
    const store = new MemoryStore();
    expect(await store.agent("b")).toBeUndefined();
    await store.commit([put(1, 1, { agentId: "b", id: "b:1" }), put(1)]);
    expect(await store.agents()).toEqual(["a", "b"]);
    expect(await store.get("a", "b:1")).toBeUndefined();
    await expect(store.load("a", "b:1")).rejects.toMatchObject({ code: "CKPT_NOT_FOUND" });
    expect((await store.load("b", "b:1")).root).toBe(1);
  });

  it("isolates headers from what the caller does to the draft", async () => {
    const store = new MemoryStore();
    const metadata = { tags: ["x"] };
    const [header] = (await store.commit([put(1, 1, { metadata })])).headers;
    metadata.tags.push("y");
    expect((await store.get("a", "a:1"))?.metadata).toEqual({ tags: ["x"] });
    expect(Object.isFrozen(header)).toBe(true);
    expect(Object.isFrozen(header?.metadata.tags)).toBe(true);
  });

  it("gives out one lease per agent, with an epoch that rises", async () => {
    const store = new MemoryStore();
    const first = await store.acquire("a");
    expect(first.epoch).toBe(1);
    await expect(store.acquire("a")).rejects.toMatchObject({
      code: "CKPT_LOCKED",
      details: { holder: { pid: process.pid } },
    });
    expect((await store.acquire("b")).epoch).toBe(1);
    expect((await store.commit([put(1)])).headers[0]?.epoch).toBe(1);
    await first.release();
    const second = await store.acquire("a");
    expect(second.epoch).toBe(2);
    await first.release();
    await expect(store.acquire("a")).rejects.toMatchObject({ code: "CKPT_LOCKED" });
  });

  it.each(["", "\u0000", "x".repeat(201), "\udfff"])("refuses the agent id %j", async (agentId) => {
    const store = new MemoryStore();
    await expect(store.acquire(agentId)).rejects.toMatchObject({ code: "CKPT_INVALID_ID" });
    await expect(store.commit([put(1, 1, { agentId })])).rejects.toMatchObject({ code: "CKPT_INVALID_ID" });
    expect(await store.agents()).toEqual([]);
  });

  it("refuses every method once it is closed, and forgets what it held", async () => {
    const store = new MemoryStore();
    await store.commit([put(1)]);
    await store.close();
    await store.close();
    const calls: (() => Promise<unknown>)[] = [
      () => store.commit([put(2)]),
      () => store.list("a"),
      () => store.get("a", "a:1"),
      () => store.load("a", "a:1"),
      () => store.agent("a"),
      () => store.agents(),
      () => store.acquire("a"),
      () => store.compact(),
      () => store.verify().next(),
      async () => store.takeFindings(),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "CKPT_CLOSED" });
  });

  it("does nothing for a signal that has fired", async () => {
    const store = new MemoryStore();
    await store.commit([put(1)]);
    const signal = AbortSignal.abort();
    for (const call of [
      () => store.commit([put(2)], { signal }),
      () => store.load("a", "a:1", { signal }),
      () => store.compact({ signal }),
      () => store.verify({ signal }).next(),
    ])
      await expect(call()).rejects.toMatchObject({ code: "CKPT_ABORTED" });
    expect((await store.agent("a"))?.count).toBe(1);
  });

  it("finds nothing wrong and has nothing to compact", async () => {
    const store = new MemoryStore();
    await store.commit([put(1)]);
    for await (const finding of store.verify()) expect(finding).toBeUndefined();
    expect(await store.compact()).toEqual({ bytesBefore: 0, bytesAfter: 0, removedFiles: 0 });
    expect(store.takeFindings()).toEqual([]);
  });
});
