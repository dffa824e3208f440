import { CkptError, isCkptError } from "@ckpt/errors";
import { describe, expect, it } from "vitest";

const full = new CkptError("CKPT_IO", {
  message: "could not read a",
  hint: "check the disk",
  cause: new Error("EIO"),
  details: { path: "a" },
});

describe("CkptError", () => {
  it("carries code, hint, details and cause", () => {
    expect(full).toMatchObject({
      code: "CKPT_IO",
      hint: "check the disk",
      details: { path: "a" },
      name: "CkptError",
    });
    expect((full.cause as Error).message).toBe("EIO");
    expect(full).toBeInstanceOf(Error);
  });

  it("prints code, message and hint in one line", () => {
    expect(String(full)).toBe("CKPT_IO: could not read a (check the disk)");
    expect(String(new CkptError("CKPT_IO", { message: "m" }))).toBe("CKPT_IO: m");
  });

  it("has no cause property when none was given", () => {
    expect("cause" in new CkptError("CKPT_IO", { message: "m" })).toBe(false);
  });

  it("becomes plain JSON with the messages of its causes, and ends on a cause that causes itself", () => {
    expect(JSON.parse(JSON.stringify(full))).toEqual({
      code: "CKPT_IO",
      message: "could not read a",
      hint: "check the disk",
      details: { path: "a" },
      causes: ["EIO"],
    });
    const own = new Error("loop");
    own.cause = own;
    expect(new CkptError("CKPT_IO", { message: "m", cause: own }).toJSON().causes).toHaveLength(8);
  });

  it.each([
    [Object.create(null), "a value without a text (object)"],
    [Symbol("s"), "Symbol(s)"],
    [null, "null"],
    [Object.assign(new Error("x"), { message: 7n }), "7"],
  ])("becomes plain JSON whatever its cause is (%#)", (cause, words) => {
    const error = new CkptError("CKPT_IO", { message: "m", cause });
    expect(JSON.parse(JSON.stringify(error)).causes).toEqual([words]);
  });
});

describe("isCkptError", () => {
  it("recognises any copy of the class by its brand, and nothing else", () => {
    expect(isCkptError(full)).toBe(true);
    expect(isCkptError({ code: "CKPT_IO", [Symbol.for("@ckpt/error")]: true })).toBe(true);
    for (const other of [new Error("CKPT_IO"), { code: "CKPT_IO" }, null, undefined, "CKPT_IO"])
      expect(isCkptError(other)).toBe(false);
  });

  it("compares the code when one is given", () => {
    expect(isCkptError(full, "CKPT_IO")).toBe(true);
    expect(isCkptError(full, "CKPT_CORRUPT")).toBe(false);
  });
});
