import { ResilientCheckpointManager, withRetry } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf, put } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const quick = { baseDelayMs: 1, maxDelayMs: 2 };

describe("withRetry", () => {
  it.each(["EAGAIN", "EBUSY", "EINTR", "EMFILE", "ENFILE", "ECONNRESET"])(
    "tries again after %s",
    async (errno) => {
      const inner = new FaultyStore();
      const store = withRetry(inner, quick);
      inner.fail("commit", ioError(errno), { times: 3 });
      const receipt = await store.commit([put("a", 1, { n: 1 })]);
      expect(receipt.headers.map((header) => header.id)).toEqual(["a:1"]);
      expect(inner.calls.filter(({ method }) => method === "commit")).toHaveLength(4);
    },
  );

  it.each(["EACCES", "EROFS", "EIO"])("does not try again after %s", async (errno) => {
    const inner = new FaultyStore();
    const store = withRetry(inner, quick);
    const error = ioError(errno);
    inner.fail("commit", error);
    expect(await errorOf(store.commit([put("a", 1, 1)]))).toBe(error);
    expect(inner.calls.filter(({ method }) => method === "commit")).toHaveLength(1);
  });

  it("gives up after its tries, with the code of the last error", async () => {
    const inner = new FaultyStore();
    const store = withRetry(inner, { ...quick, tries: 3 });
    inner.fail("load", ioError("EMFILE"));
    const error = await errorOf(store.load("a", "a:1"));
    expect(error).toMatchObject({ code: "CKPT_IO", details: { attempts: 3, gaveUp: "tries" } });
    expect(inner.calls.filter(({ method }) => method === "load")).toHaveLength(3);
  });

  it.each([
    { tries: 0 },
    { tries: 1.5 },
    { maxElapsedMs: Number.NaN },
    { baseDelayMs: -1 },
    { compactEveryMs: Number.NaN },
  ])("refuses %j before anything has failed", (options) => {
    const refused = expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" });
    expect(() => withRetry(new FaultyStore(), options)).toThrow(refused);
    const retry = options;
    expect(() => new ResilientCheckpointManager("a", { store: new FaultyStore(), retry })).toThrow(refused);
  });

  it("is bounded by time", async () => {
    const inner = new FaultyStore();
    const store = withRetry(inner, {
      baseDelayMs: 50,
      maxDelayMs: 50,
      random: () => 0.99,
      tries: 1_000,
      maxElapsedMs: 120,
    });
    inner.fail("commit", ioError("EAGAIN"));
    expect((await errorOf(store.commit([put("a", 1, 1)]))).code).toBe("CKPT_TIMEOUT");
  });

  it("stops waiting when the signal fires", async () => {
    const inner = new FaultyStore();
    const store = withRetry(inner, {
      baseDelayMs: 60_000,
      maxDelayMs: 60_000,
      random: () => 0.99,
      maxElapsedMs: 1e9,
    });
    inner.fail("commit", ioError("EAGAIN"));
    const controller = new AbortController();
    const committing = errorOf(store.commit([put("a", 1, 1)], { signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    expect((await committing).code).toBe("CKPT_ABORTED");
  });

  it("writes one checkpoint when a commit that was reported as failed had done its work", async () => {
    const inner = new FaultyStore();
    const store = withRetry(inner, quick);
    inner.fail("commit", ioError("EAGAIN"), { times: 1, afterwards: true });
    await store.commit([put("a", 1, { n: 1 })]);
    expect(await inner.ids("a")).toEqual(["a:1"]);
  });

  it("lets no later commit of the agent overtake one that is tried again", async () => {
    const inner = new FaultyStore();
    const store = withRetry(inner, { baseDelayMs: 10, maxDelayMs: 10, random: () => 0.99 });
    inner.fail("commit", ioError("EAGAIN"), { times: 2 });
    await Promise.all([1, 2, 3].map((n) => store.commit([put("a", n, { n })])));
    expect(await inner.ids("a")).toEqual(["a:1", "a:2", "a:3"]);
  });

  it("lets another agent pass meanwhile", async () => {
    const inner = new FaultyStore();
    const store = withRetry(inner, { baseDelayMs: 100, maxDelayMs: 100, random: () => 0.99 });
    inner.fail("commit", ioError("EAGAIN"), { times: 1 });
    const settled: string[] = [];
    await Promise.all([
      store.commit([put("a", 1, 1)]).then(() => settled.push("a")),
      store.commit([put("b", 1, 1)]).then(() => settled.push("b")),
    ]);
    expect(settled).toEqual(["b", "a"]);
  });

  it("compacts a full disk once, and then saves", async () => {
    const inner = new MaintainedStore();
    const store = withRetry(inner, quick);
    inner.fail("commit", ioError("ENOSPC"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    expect(inner.compactions).toBe(1);
    inner.fail("commit", ioError("ENOSPC"), { times: 1 });
    expect((await errorOf(store.commit([put("a", 2, 2)]))).code).toBe("CKPT_NO_SPACE");
    expect(inner.compactions).toBe(1);
  });

  it("says what is tried again", async () => {
    const inner = new FaultyStore();
    const store = withRetry(inner, quick);
    const seen: unknown[] = [];
    if ("onIncident" in store && typeof store.onIncident === "function") {
      store.onIncident((incident: { kind: string; operation: string }) =>
        seen.push([incident.kind, incident.operation]),
      );
    }
    inner.fail("list", ioError("EINTR"), { times: 2 });
    expect(await store.list("a")).toEqual([]);
    expect(seen).toEqual([
      ["retrying", "list"],
      ["retrying", "list"],
    ]);
  });
});

/** A store whose compaction gives something back. */
class MaintainedStore extends FaultyStore {
  override readonly supports = { durable: false, leases: false, fencing: false, maintenance: true };

  override async compact() {
    await super.compact();
    return { bytesBefore: 100, bytesAfter: 50, removedFiles: 1 };
  }
}
