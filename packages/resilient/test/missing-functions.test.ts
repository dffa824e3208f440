import { MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager, superviseLoop, withFallback, withMirror } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { agentOver, errorOf } from "./support/agent-bench.js";
import { FaultyStore } from "./support/faulty-store.js";

describe("a call without what it is to run", () => {
  it("superviseLoop refuses a step that is no function at once, and does not try it again and again", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, { n: 1 });
    const error = await errorOf(superviseLoop(manager, undefined as never, { handleSignals: false }));
    expect(error).toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
      message: "superviseLoop has no step to run",
    });
    expect(store.batches).toEqual([]);
  });

  it("guard refuses an operation that is no function before it saves anything", async () => {
    const store = new FaultyStore();
    const { manager } = agentOver(store, { n: 1 });
    const error = await errorOf(manager.guard("migrate", undefined as never));
    expect(error).toMatchObject({ code: "CKPT_INVALID_ARGUMENT", message: "guard has no operation to run" });
    expect(store.batches).toEqual([]);
  });

  it("names one or both of the functions that a manager lacks, in a sentence", async () => {
    const collect = () => 1;
    const messages = [];
    for (const options of [{}, { collect }]) {
      const manager = new ResilientCheckpointManager("a", { store: new MemoryStore(), ...options });
      messages.push((await errorOf(manager.guard("x", () => {}))).message);
    }
    expect(messages).toEqual([
      "guard needs the options collect and apply; collect and apply are missing",
      "guard needs the options collect and apply; apply is missing",
    ]);
  });
});

describe("places that are none, or one given twice", () => {
  it.each([
    ["withMirror", (a: never, b: never) => withMirror(a, b)],
    ["withFallback", (a: never, b: never) => withFallback(a, b)],
  ])("%s refuses them when it is called", (_, compose) => {
    const store = new MemoryStore();
    for (const [a, b] of [
      [store, undefined],
      [undefined, store],
      [store, "./other"],
      [store, store],
    ] as [never, never][])
      expect(() => compose(a, b)).toThrow(expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }));
  });
});
