import { snapshot } from "@ckpt/core";
import { afterEach, expect, it } from "vitest";
import { difference } from "./equality.js";

const { prepareStackTrace } = Error;
afterEach(() => {
  Error.prepareStackTrace = prepareStackTrace;
});

const noText = Object.assign(Object.create(null), { code: 1 });

it.each([
  ["message", noText],
  ["message", [noText]],
  ["name", noText],
])("an error whose %s has no text comes back", (field, value) => {
  const error = new Error("x");
  // What was never looked at is formatted when it is captured, and cannot be.
  void error.stack;
  Object.defineProperty(error, field, { value, configurable: true, writable: true });
  expect(difference(snapshot([error]).toValue(), [error])).toBeUndefined();
});

it("an error whose stack was set to undefined comes back with none, whatever the engine keeps stacks in", () => {
  const error = Object.assign(new Error("x"), { stack: undefined });
  expect(difference(snapshot([error]).toValue(), [error])).toBeUndefined();
});

it("what formats stacks in this process is not asked for one that was saved", () => {
  const state = snapshot([new Error("x", { cause: new RangeError("y") })]);
  let asked = 0;
  Error.prepareStackTrace = () => {
    asked++;
    return "";
  };
  state.toValue();
  expect(asked).toBe(0);
});
