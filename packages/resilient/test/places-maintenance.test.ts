import { withMirror } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf } from "./support/agent-bench.js";
import { FaultyStore, ioError } from "./support/faulty-store.js";

function mirrors() {
  const places = [new FaultyStore(), new FaultyStore()] as const;
  return { places, store: withMirror(...places, { minProbeDelayMs: 600_000 }) };
}

describe("compacting several places", () => {
  it("compacts the others where one of them fails, and rejects with what that one said", async () => {
    const { places, store } = mirrors();
    places[0].fail("compact", ioError("ENOSPC"));
    expect(await errorOf(store.compact())).toMatchObject({ code: "CKPT_NO_SPACE" });
    expect(places.map(({ compactions }) => compactions)).toEqual([1, 1]);
    places[0].heal();
    expect(await store.compact()).toMatchObject({ removedFiles: 0 });
    await store.close();
  });

  it("begins no other place once its signal has fired", async () => {
    const { places, store } = mirrors();
    const abort = new AbortController();
    places[0].fail("compact", ioError("EIO"));
    const { compact } = places[0];
    places[0].compact = async () => {
      abort.abort();
      return compact.call(places[0]);
    };
    expect(await errorOf(store.compact({ signal: abort.signal }))).toMatchObject({ code: "CKPT_ABORTED" });
    expect(places.map(({ compactions }) => compactions)).toEqual([1, 0]);
    await store.close();
  });
});
