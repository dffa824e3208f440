import { runInNewContext } from "node:vm";
import { CheckpointManager, MemoryStore } from "@ckpt/core";
import { describe, expect, it } from "vitest";

const standard = (validate: (value: unknown) => unknown) =>
  ({ "~standard": { version: 1, vendor: "test", validate } }) as never;

const promises: [string, (issues: unknown) => unknown][] = [
  ["a promise", async (issues) => issues],
  ["a promise of another realm", runInNewContext("async (issues) => issues")],
  [
    "a thenable",
    (issues) => ({
      // biome-ignore lint/suspicious/noThenProperty: the point of the test.
      then: (resolve: (value: unknown) => void) => resolve(issues),
    }),
  ],
];

describe("a schema that answers on save", () => {
  it.each(promises)("with %s is refused, because capture is synchronous", async (_, answer) => {
    const schema = standard(() => answer({ issues: [{ message: "no" }] }));
    const manager = new CheckpointManager({ schema });
    await expect(manager.create("a", 1)).rejects.toMatchObject({ code: "CKPT_UNSUPPORTED" });
    expect(await manager.length).toBe(0);
  });

  it.each(promises)("with %s is heard on restore", async (_, answer) => {
    const store = new MemoryStore();
    const saved = await new CheckpointManager({ sessionId: "s", store }).create("a", 1);
    const schema = standard(() => answer({ issues: [{ message: "no" }] }));
    const reader = new CheckpointManager({ sessionId: "s", store, schema });
    await expect((await reader.get(saved.id))!.data()).rejects.toMatchObject({ code: "CKPT_INVALID_STATE" });
  });
});

describe("a listener whose promise rejects", () => {
  it.each([
    ["a promise", async () => Promise.reject(new Error("late"))],
    ["a promise of another realm", runInNewContext("async () => { throw new Error('late') }")],
    [
      "a thenable",
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: the point of the test.
        then: (_: unknown, reject: (error: Error) => void) => reject(new Error("late")),
      }),
    ],
  ])("is reported, also where it is %s", async (_, listener) => {
    const manager = new CheckpointManager();
    const reported: unknown[] = [];
    manager.on("error", ({ during, error }) => reported.push([during, (error as Error).message]));
    manager.onCheckpoint(listener as () => unknown);
    await manager.create("a", 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reported).toEqual([['listener of "saved"', "late"]]);
  });
});
