import {
  anyOf,
  forName,
  keepAll,
  keepLast,
  maxBytes,
  maxCount,
  planRetention,
  type RetentionPolicy,
} from "@ckpt/retention";
import { describe, expect, it } from "vitest";
import { header, history, sequences, T0 } from "./headers.js";

const kept = (policy: RetentionPolicy, context = {}) =>
  sequences(planRetention(history(10), policy, T0 + 3_600_000, context).keep);

describe("caps over damaged checkpoints", () => {
  const damagedIds = ["agent:8", "agent:9", "agent:10"];

  it("let go of them before any that can be restored", () => {
    expect(kept(anyOf(keepLast(3), maxCount(3)), { damagedIds })).toEqual([5, 6, 7]);
    expect(kept(anyOf(keepLast(3), maxBytes(3_000)), { damagedIds })).toEqual([5, 6, 7]);
  });

  it("let go of the oldest of them first, and keep them where there is room", () => {
    expect(kept(anyOf(keepLast(3), maxCount(5)), { damagedIds })).toEqual([5, 6, 7, 9, 10]);
    expect(kept(anyOf(keepLast(3), maxCount(6)), { damagedIds })).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it("leave those alone that are protected", () => {
    const context = { damagedIds, pinnedIds: ["agent:8"] };
    expect(kept(anyOf(keepLast(3), maxCount(3)), context)).toEqual([6, 7, 8]);
  });

  it("say that it was the damage", () => {
    const plan = planRetention(history(10), anyOf(keepLast(3), maxCount(3)), T0, { damagedIds });
    const reason = plan.drop.find((d) => d.header.sequence === 8)?.reasons[0];
    expect(reason).toEqual({ code: "max-count", message: "More than 3 would stay, and it is damaged." });
  });
});

describe("maxBytes with a size that is none", () => {
  it("refuses to plan, and says which checkpoint it is", () => {
    for (const size of [Number.NaN, undefined, -1, Number.POSITIVE_INFINITY, "12", null]) {
      const sizeOf = (h: { sequence: number }) => (h.sequence === 4 ? (size as number) : 1);
      expect(() => kept(anyOf(keepAll(), maxBytes(1_000_000_000, { sizeOf })))).toThrow(
        expect.objectContaining({
          code: "CKPT_INVALID_ARGUMENT",
          hint: expect.stringContaining("sizeOf"),
          details: { id: "agent:4", sequence: 4, size: String(size) },
        }),
      );
    }
  });

  it("refuses a header without a size, too", () => {
    const headers = [...history(3), header(4, { stateBytes: Number.NaN })];
    expect(() => planRetention(headers, maxBytes(10_000), T0)).toThrow(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
  });

  it("counts only what is within its scope, and takes 0 for a size", () => {
    const headers = [header(1, { stateBytes: Number.NaN }), header(2, { name: "x", stateBytes: 0 })];
    expect(sequences(planRetention(headers, forName("x", maxBytes(1)), T0).keep)).toEqual([1, 2]);
  });
});

it("a larger maxCount beside another cap can cost an older one its place", () => {
  const headers = [header(1, { name: "y" }), header(2), header(3), header(4)];
  const capped = (count: number) =>
    sequences(
      planRetention(headers, anyOf(forName("routine", maxCount(count)), maxCount(3)), T0 + 600_000).keep,
    );
  expect(capped(1)).toEqual([1, 4]);
  expect(capped(3)).toEqual([2, 3, 4]);
});
