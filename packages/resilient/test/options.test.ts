import { MemoryStore } from "@ckpt/core";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { keepLast } from "@ckpt/retention";
import { expect, it } from "vitest";

it.each([
  { directory: 5 },
  { retention: 3 },
  { retention: keepLast },
  { retention: null },
  { drift: true },
  { onUnfinishedGuard: "nope" },
  { collect: 1 },
  { clock: 5 },
  { logger: {} },
])("the constructor refuses %j by the option's name, before anything is saved", (options) => {
  const store = "directory" in options ? {} : { store: new MemoryStore() };
  const make = () => new ResilientCheckpointManager("a", { ...store, ...options } as never);
  const option = Object.keys(options)[0];
  expect(make).toThrow(
    expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT", details: expect.objectContaining({ option }) }),
  );
});
