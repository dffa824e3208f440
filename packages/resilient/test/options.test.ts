import { MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { keepLast } from "@ckpt/retention";
import { expect, it } from "vitest";

it.each([
  { directory: 5 },
  { directory: "" },
  { store: "./checkpoints" },
  { store: {} },
  { retention: 3 },
  { retention: keepLast },
  { retention: null },
  { drift: true },
  { onUnfinishedGuard: "nope" },
  { collect: 1 },
  { clock: 5 },
  { logger: {} },
])("the constructor refuses %j by the option's name, before anything is saved", (options) => {
  const store = "directory" in options || "store" in options ? {} : { store: new MemoryStore() };
  const make = () => new ResilientCheckpointManager("a", { ...store, ...options } as never);
  const option = Object.keys(options)[0];
  expect(make).toThrow(
    expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT", details: expect.objectContaining({ option }) }),
  );
});

it("the constructor refuses options that are no object, and does not take a text for the directory", () => {
  for (const options of ["./checkpoints", null])
    expect(() => new ResilientCheckpointManager("a", options as never)).toThrow(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
});
