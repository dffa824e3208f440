import { expect, it } from "vitest";
import { readArguments } from "../src/arguments.js";

it.each([
  ["--seed", ""],
  ["--seed", " "],
  ["--seed", "1.5"],
  ["--sed", "1"],
])("refuses %s %j", (flag, value) => {
  expect(() => readArguments(["--data", "d", flag, value])).toThrow(
    expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
  );
});
