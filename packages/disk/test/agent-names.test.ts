import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeAgentName } from "../src/agent-names.js";

const runs = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };

it("gives every id a name of its own, also where case does not count", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.string({ unit: "binary", minLength: 1 }),
      (a, b) => {
        if (Buffer.from(a).equals(Buffer.from(b))) return;
        expect(encodeAgentName(a).toLowerCase()).not.toBe(encodeAgentName(b).toLowerCase());
      },
    ),
    runs,
  );
});

it("writes only characters and lengths that every file system takes, never a hidden or reserved name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 400 }), (id) => {
      const name = encodeAgentName(id);
      expect(name).toMatch(/^[ah]\.[a-z0-9_%-]+$/);
      expect(name.length).toBeLessThanOrEqual(182);
    }),
    runs,
  );
  for (const id of ["..", ".", "CON", "con", "/etc/passwd", "a/b", "nul", "Agent", "agent"]) {
    expect(encodeAgentName(id)).toMatch(/^a\.[a-z0-9_%-]+$/);
  }
});

it("keeps ids that differ by case alone apart", () => {
  expect(encodeAgentName("Agent").toLowerCase()).not.toBe(encodeAgentName("agent").toLowerCase());
  expect(encodeAgentName("x".repeat(190))).not.toBe(encodeAgentName("X".repeat(190)));
});
