import { CkptError } from "@ckpt/errors";
import { classify, errnoError, isTransient, toCkptError } from "@ckpt/io";
import { describe, expect, it } from "vitest";

const errno = (code: string) => errnoError(code, "write", "/p", "for a test");

describe("classify", () => {
  it.each([
    ["EAGAIN", "transient", "CKPT_IO"],
    ["EBUSY", "transient", "CKPT_IO"],
    ["EINTR", "transient", "CKPT_IO"],
    ["EMFILE", "transient", "CKPT_IO"],
    ["ENFILE", "transient", "CKPT_IO"],
    ["ECONNRESET", "transient", "CKPT_IO"],
    ["ENOSPC", "no-space", "CKPT_NO_SPACE"],
    ["EDQUOT", "no-space", "CKPT_NO_SPACE"],
    ["EACCES", "no-permission", "CKPT_NO_PERMISSION"],
    ["EPERM", "no-permission", "CKPT_NO_PERMISSION"],
    ["EROFS", "no-permission", "CKPT_NO_PERMISSION"],
    ["ENOENT", "not-found", "CKPT_NOT_FOUND"],
    ["EEXIST", "exists", "CKPT_CONFLICT"],
    ["EIO", "damaged", "CKPT_IO"],
    ["EINVAL", "permanent", "CKPT_IO"],
    ["ENOSUCHCODE", "permanent", "CKPT_IO"],
  ])("takes %s for %s and reports it as %s", (code, kind, ckptCode) => {
    const error = errno(code);
    expect(classify(error)).toBe(kind);
    expect(isTransient(error)).toBe(kind === "transient");
    const reported = toCkptError(error, { doing: "write", path: "/p" });
    expect(reported).toMatchObject({
      code: ckptCode,
      cause: error,
      details: { errno: code, kind, path: "/p" },
    });
    expect(reported.hint).toBeTruthy();
  });

  it("looks through a CKPT_IO to the errno that caused it, and keeps the verdict of any other code", () => {
    expect(classify(toCkptError(errno("EBUSY"), { doing: "write" }))).toBe("transient");
    const poisoned = new CkptError("CKPT_LOG_POISONED", { message: "m", cause: errno("EBUSY") });
    expect(classify(poisoned)).toBe("permanent");
    expect(classify(new CkptError("CKPT_NO_SPACE", { message: "m" }))).toBe("no-space");
    expect(classify(new CkptError("CKPT_LOCKED", { message: "m" }))).toBe("transient");
  });

  it("takes what is no system error for permanent, names of Object's own included", () => {
    expect(classify(new Error("no code"))).toBe("permanent");
    expect(classify("text")).toBe("permanent");
    expect(classify(undefined)).toBe("permanent");
    expect(classify(Object.assign(new Error("x"), { code: "constructor" }))).toBe("permanent");
    expect(classify(Object.assign(new Error("x"), { code: "ERR_OUT_OF_RANGE" }))).toBe("permanent");
  });

  it("hands on what already is a CkptError", () => {
    const error = new CkptError("CKPT_CORRUPT", { message: "m" });
    expect(toCkptError(error, { doing: "read" })).toBe(error);
  });
});
