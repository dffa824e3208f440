import { describe, expect, it } from "vitest";
import { HELP, readFlags } from "../src/parent/flags.js";

describe("the flags", () => {
  it("are all optional", () => {
    expect(readFlags([])).toEqual({
      folder: undefined,
      mailbox: undefined,
      store: undefined,
      kills: undefined,
      seed: undefined,
      steps: undefined,
      resume: false,
      json: false,
      help: false,
    });
  });

  it("are read, also behind the bare -- of npm start", () => {
    const args = [
      "--",
      "--folder",
      "f",
      "--mailbox=m",
      "--store",
      "s",
      "--kills",
      "0",
      "--seed",
      "9",
      "--steps",
      "3",
    ];
    expect(readFlags([...args, "--resume", "--json"])).toEqual({
      folder: "f",
      mailbox: "m",
      store: "s",
      kills: 0,
      seed: 9,
      steps: 3,
      resume: true,
      json: true,
      help: false,
    });
  });

  it.each([
    [["--kils", "3"], "--kils"],
    [["--kills", "-1"], "--kills"],
    [["--kills=-1"], "--kills"],
    [["--kills=1.5"], "--kills"],
    [["--kills=101"], "--kills"],
    [["--steps=0"], "--steps"],
    [["--seed=0x10"], "--seed"],
    [["--store="], "--store"],
    [["--folder"], "--folder"],
    [["--resume=yes"], "--resume"],
    [["stray"], "stray"],
  ])("%j is refused by name, with a hint", (args, named) => {
    const wanted = {
      code: "CKPT_INVALID_ARGUMENT",
      message: expect.stringContaining(named),
      hint: expect.any(String),
    };
    expect(() => readFlags(args)).toThrow(expect.objectContaining(wanted));
  });

  it("are all in the help", () => {
    for (const name of Object.keys(readFlags([]))) expect(HELP).toContain(`--${name} `);
  });
});
