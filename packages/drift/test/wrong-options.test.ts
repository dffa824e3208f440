import { cycle, monitor, shift, stall } from "@ckpt/drift";
import { describe, expect, it } from "vitest";

const refused = expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" });

describe("options of a monitor that cannot be meant", () => {
  it.each([[[shift]], [["shift"]], [[undefined]], ["shift"]] as never[][])(
    "detectors %j are refused when the monitor is made, not at its first signal",
    (detectors) => {
      expect(() => monitor({ detectors })).toThrow(refused);
      expect(() => monitor({ invariants: detectors })).toThrow(refused);
    },
  );

  it("pollers that are no list of texts are refused, by the detectors that take them as well", () => {
    for (const pollers of ["job_status", [5], [/job/]] as never[])
      for (const make of [monitor, stall, cycle]) expect(() => make({ pollers })).toThrow(refused);
  });
});
