import { type AnyClassCodec, CheckpointManager, snapshot, validateAgentId, validateName } from "@ckpt/core";
import { describe, expect, it } from "vitest";

/** What `call` throws, as a caller reads it. */
function refusal(call: () => unknown): { code: string; message: string; hint: string } {
  try {
    call();
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string };
    return { code, message, hint };
  }
  throw new Error("It was taken.");
}

describe("wrong arguments", () => {
  it("a text in place of the options is refused, because its session would get another name at each start", () => {
    expect(refusal(() => new CheckpointManager("session-1" as never))).toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
      hint: expect.stringContaining("sessionId"),
    });
    expect(refusal(() => new CheckpointManager(null as never)).code).toBe("CKPT_INVALID_ARGUMENT");
  });

  it("what is no store is refused before anything is saved", () => {
    for (const store of ["./checkpoints", {}, null] as never[])
      expect(refusal(() => new CheckpointManager({ store }))).toMatchObject({
        code: "CKPT_INVALID_ARGUMENT",
        message: "The store is not one.",
      });
  });

  it("codecs that are no list, and a codec without its functions, are refused when they are given, not when a state needs them", () => {
    const nameless = { name: "Point", is: () => true, encode: (value: unknown) => value };
    for (const codecs of [{ Point: {} }, "Point", [null], [nameless]] as never[]) {
      expect(refusal(() => new CheckpointManager({ codecs })).code).toBe("CKPT_INVALID_ARGUMENT");
      expect(refusal(() => snapshot({}, { codecs })).code).toBe("CKPT_INVALID_ARGUMENT");
    }
    expect(refusal(() => snapshot({}, { codecs: [nameless as unknown as AnyClassCodec] })).message).toBe(
      'The codec "Point" has no function decode.',
    );
  });

  it("a name that is no string is described by what it is, with an example of its kind", () => {
    expect(refusal(() => validateAgentId(undefined)).message).toBe(
      "The agent id is undefined, not a string.",
    );
    expect(refusal(() => validateAgentId(3)).message).toBe("The agent id is a number, not a string.");
    expect(refusal(() => validateName({})).message).toBe("The checkpoint name is an object, not a string.");
    expect(refusal(() => validateName("")).hint).toContain('such as "routine"');
    expect(refusal(() => validateAgentId("")).hint).toContain('such as "agent-3"');
  });
});
