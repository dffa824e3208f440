import type { CheckpointStore } from "@ckpt/core";
import { withDegradation, withFallback, withMirror, withRetry } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf, put } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

const late = () => new Promise((resolve) => setTimeout(resolve, 500, { code: "late" }));
const still = { minProbeDelayMs: 600_000, maxProbeDelayMs: 600_000 };

describe("a signal", () => {
  it("is heard while a flush is under way, which goes on", async () => {
    const inner = new FaultyStore();
    const store = withDegradation(inner, { minFlushDelayMs: 60_000, maxFlushDelayMs: 60_000 });
    inner.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    const open = inner.hold();
    const controller = new AbortController();
    const flushing = errorOf(store.flush({ signal: controller.signal }));
    controller.abort();
    expect(await Promise.race([flushing, late()])).toMatchObject({ code: "CKPT_ABORTED" });
    open();
    expect(await store.flush()).toBe(true);
  });

  it("is heard while places are brought back", async () => {
    const [a, b] = [new FaultyStore(), new FaultyStore()];
    const store = withMirror(a, b, still);
    await store.acquire("a");
    b.fail("commit", ioError("EIO"), { times: 1 });
    await store.commit([put("a", 1, 1)]);
    const open = b.hold();
    const controller = new AbortController();
    const reconciling = errorOf(store.reconcile({ signal: controller.signal }));
    controller.abort();
    expect(await Promise.race([reconciling, late()])).toMatchObject({ code: "CKPT_ABORTED" });
    open();
    expect(await store.reconcile()).toBe(true);
  });

  it.each<[string, (inner: CheckpointStore) => CheckpointStore]>([
    ["withRetry", (inner) => withRetry(inner)],
    ["withDegradation", (inner) => withDegradation(inner)],
    ["withFallback", (inner) => withFallback(inner, new FaultyStore(), still)],
    ["withMirror", (inner) => withMirror(inner, new FaultyStore(), still)],
  ])(
    "is heard by %s while a commit waits for its turn, which is never written then",
    async (_name, around) => {
      const inner = new FaultyStore();
      const store = around(inner);
      await store.acquire("a");
      const open = inner.hold();
      const first = store.commit([put("a", 1, 1)]);
      const controller = new AbortController();
      const second = errorOf(store.commit([put("a", 2, 2)], { signal: controller.signal }));
      const third = store.commit([put("a", 3, 3)]);
      controller.abort();
      expect(await Promise.race([second, late()])).toMatchObject({ code: "CKPT_ABORTED" });
      open();
      await Promise.all([first, third]);
      expect(await inner.ids("a")).toEqual(["a:1", "a:3"]);
    },
  );
});
