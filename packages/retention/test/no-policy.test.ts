import {
  anyOf,
  forName,
  forOtherNames,
  keepLast,
  perName,
  planRetention,
  planRetentionInSlices,
} from "@ckpt/retention";
import { describe, expect, it } from "vitest";
import { history, T0 } from "./headers.js";

const refused = expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" });

describe("what is no policy", () => {
  it.each([[undefined], [null], [keepLast], [{ keepLast: 3 }]] as never[][])(
    "%j is refused where it is given",
    async (wrong) => {
      expect(() => anyOf(keepLast(1), wrong)).toThrow(refused);
      expect(() => forName("routine", wrong)).toThrow(refused);
      expect(() => forOtherNames(["routine"], wrong)).toThrow(refused);
      expect(() => perName(wrong)).toThrow(refused);
      expect(() => planRetention(history(3), wrong, T0)).toThrow(refused);
      await expect(planRetentionInSlices(history(3), wrong, T0, {}, () => undefined)).rejects.toEqual(
        refused,
      );
    },
  );
});
