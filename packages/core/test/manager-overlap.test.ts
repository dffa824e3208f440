import { CheckpointManager, type CommitReceipt, MemoryStore, type StoreEntry } from "@ckpt/core";
import { describe, expect, it } from "vitest";

/** A store whose commits take effect in order, but later than they were called, as those of a disk do. */
class SlowStore extends MemoryStore {
  readonly started: string[] = [];
  #line: Promise<unknown> = Promise.resolve();

  override commit(entries: readonly StoreEntry[]): Promise<CommitReceipt> {
    this.started.push(entries.map(({ op }) => op).join());
    const done = this.#line.then(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return super.commit(entries);
    });
    this.#line = done.catch(() => {});
    return done;
  }
}

const keepAll = { maxCheckpoints: Number.POSITIVE_INFINITY, compressAfter: Number.POSITIVE_INFINITY };

describe("calls that overlap on a store that takes its time", () => {
  it("are started together when they only add, so that the store can write them as one", async () => {
    const store = new SlowStore();
    const manager = new CheckpointManager({ sessionId: "s", store, ...keepAll });
    await manager.create("first", 0);
    const saves = [1, 2, 3].map((i) => manager.create("a", i));
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.started).toHaveLength(4);
    expect((await Promise.all(saves)).map(({ parentId }) => parentId)).toEqual(["s:1", "s:2", "s:3"]);
  });

  it("see what was called before them, and not what was called after", async () => {
    const manager = new CheckpointManager<number>({ sessionId: "s", store: new SlowStore(), ...keepAll });
    const [, , removed, , back, cleared, last] = await Promise.all([
      manager.create("a", 1),
      manager.create("a", 2),
      manager.remove("s:2"),
      manager.create("a", 3),
      manager.rollbackTo("s:1"),
      manager.clear(),
      manager.create("a", 4),
    ]);
    expect([removed, back, cleared]).toEqual([1, 1, 2]);
    expect(last).toMatchObject({ id: "s:4", parentId: null });
    expect((await manager.getAll()).map(({ id }) => id)).toEqual(["s:4"]);
  });

  it("wait for commits under way before the history is read again", async () => {
    const store = new SlowStore();
    const manager = new CheckpointManager({ sessionId: "s", store, ...keepAll });
    const saved = await manager.create("a", 1);
    const foreign = { ...saved.toJSON(), id: "foreign", sequence: 2, parentId: saved.id };
    const intruding = store.commit([{ op: "put", header: foreign, snapshot: await saved.snapshot() }]);
    // The first conflicts with the intruder; the second does not, and is still under way when the third needs a number.
    const first = manager.create("a", "one").catch((error: { code: string }) => error.code);
    const second = manager.create("a", "two");
    expect(await first).toBe("CKPT_CONFLICT");
    const third = manager.create("a", "three");
    await intruding;
    expect((await second).sequence).toBe(3);
    expect(await third).toMatchObject({ sequence: 4, parentId: "s:3" });
  });

  it("are finished by close", async () => {
    const store = new SlowStore();
    const manager = new CheckpointManager({ sessionId: "s", store, ...keepAll });
    const saves = [1, 2, 3].map((i) => manager.create("a", i));
    await manager.close();
    expect(await store.list("s")).toHaveLength(3);
    expect((await Promise.all(saves)).map(({ id }) => id)).toEqual(["s:1", "s:2", "s:3"]);
    expect((await store.acquire("s")).epoch).toBe(2);
  });
});

describe("what is looked at first", () => {
  it("is the signal, before the state", async () => {
    const manager = new CheckpointManager<unknown>();
    const signal = AbortSignal.abort();
    await expect(manager.create("a", () => {}, {}, { signal })).rejects.toMatchObject({
      code: "CKPT_ABORTED",
    });
  });

  it("is a state's version, before its values are built", async () => {
    class Point {
      constructor(readonly x: number) {}
    }
    const codec = {
      name: "Point",
      is: (value: object): value is Point => value instanceof Point,
      encode: ({ x }: Point) => x,
      decode: (x: unknown) => new Point(x as number),
    };
    const store = new MemoryStore();
    const newer = new CheckpointManager<unknown>({ sessionId: "s", store, version: 2, codecs: [codec] });
    const saved = await newer.create("a", new Point(1));
    expect(await saved.data()).toEqual(new Point(1));
    const older = new CheckpointManager<unknown>({ sessionId: "s", store });
    await expect((await older.getLatest())!.data()).rejects.toMatchObject({ code: "CKPT_NEWER_VERSION" });
  });
});
