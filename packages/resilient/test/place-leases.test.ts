import { type CheckpointStore, CkptError, type Lease } from "@ckpt/core";
import { withFallback, withMirror } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf, put } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const still = { minProbeDelayMs: 600_000, maxProbeDelayMs: 600_000 };

/** A store that asks for leases, and tells who has one. */
class LeasedStore extends FaultyStore {
  override readonly supports = { durable: false, leases: true, fencing: false, maintenance: false };
  readonly taken = new Set<string>();
  /** What a release rejects with. */
  releaseError: unknown;
  /** Set to hold acquisitions back until it resolves. */
  acquiring: Promise<void> | undefined;

  override async acquire(agentId: string): Promise<Lease> {
    await this.acquiring;
    const lease = await super.acquire(agentId);
    this.taken.add(agentId);
    const release = async () => {
      if (this.releaseError !== undefined) throw this.releaseError;
      this.taken.delete(agentId);
      await lease.release();
    };
    return { ...lease, release };
  }

  override async commit(
    ...args: Parameters<CheckpointStore["commit"]>
  ): ReturnType<CheckpointStore["commit"]> {
    for (const entry of args[0]) {
      const id = entry.op === "put" ? entry.header.agentId : entry.agentId;
      if (!this.taken.has(id)) throw locked(id);
    }
    return super.commit(...args);
  }
}

const locked = (agentId: string) =>
  new CkptError("CKPT_LOCKED", { message: `${agentId} is not held`, hint: "Acquire." });
const closed = () => new CkptError("CKPT_CLOSED", { message: "closed", hint: "Open." });
const stores = () => [new LeasedStore(), new LeasedStore(), new LeasedStore()] as const;

describe("the leases of an agent in several places", () => {
  it("are all given back where one place refuses, and the refusal is what is said", async () => {
    const [a, b, c] = stores();
    a.releaseError = ioError("EIO");
    await c.acquire("a");
    const store = withFallback(a, b, c, still);
    expect((await errorOf(store.acquire("a"))).code).toBe("CKPT_LOCKED");
    expect([...b.taken]).toEqual([]);
  });

  it("are all given back by a release, also where one place fails at it", async () => {
    const [a, b] = stores();
    const store = withMirror(a, b, still);
    const lease = await store.acquire("a");
    a.releaseError = closed();
    expect((await errorOf(lease.release())).code).toBe("CKPT_CLOSED");
    expect([...b.taken]).toEqual([]);
  });

  it("are given back by a release also in a place that is being brought back meanwhile", async () => {
    const [a, b] = stores();
    b.fail("acquire", ioError("EIO"), { times: 1 });
    const store = withMirror(a, b, still);
    const lease = await store.acquire("a");
    await store.commit([put("a", 1, 1)]);
    let open = () => {};
    b.acquiring = new Promise((resolve) => {
      open = resolve;
    });
    const reconciling = store.reconcile();
    const releasing = lease.release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    open();
    await Promise.all([reconciling, releasing]);
    expect([...b.taken]).toEqual([]);
    await store.acquire("a");
  });

  it("are not asked for twice at once: a save that needs a place finds it being taken already", async () => {
    const [a, b] = stores();
    a.fail("acquire", ioError("EIO"), { times: 1 });
    const store = withFallback(a, b, still);
    await store.acquire("a");
    await store.commit([put("a", 1, 1)]);
    let open = () => {};
    a.acquiring = new Promise((resolve) => {
      open = resolve;
    });
    const reconciling = store.reconcile();
    b.fail("commit", ioError("EIO"), { times: 1 });
    const saving = store.commit([put("a", 2, 2)]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    open();
    await reconciling;
    await saving;
    expect((await store.list("a")).map(({ id }) => id)).toEqual(["a:1", "a:2"]);
  });

  it("keep no other agent from coming back, where another writer has one of them in a place", async () => {
    const [a, b] = stores();
    for (const method of ["acquire", "commit"] as const) a.fail(method, ioError("EIO"));
    const store = withFallback(a, b, still);
    for (const id of ["a", "b"]) await store.acquire(id);
    for (const id of ["a", "b"]) await store.commit([put(id, 1, id)]);
    a.heal();
    const other = await a.acquire("b");
    expect(await store.reconcile()).toBe(false);
    await store.commit([put("a", 2, 2)]);
    expect([await a.ids("a"), await b.ids("a")]).toEqual([["a:1", "a:2"], []]);
    await store.commit([put("b", 2, 2)]);
    expect([await a.ids("b"), await b.ids("b")]).toEqual([[], ["b:1", "b:2"]]);
    await other.release();
    expect(await store.reconcile()).toBe(true);
    expect(await a.ids("b")).toEqual(["b:1", "b:2"]);
  });
});
