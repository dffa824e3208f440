import type { CheckpointHeader } from "@ckpt/core";
import { anyOf, forName, keepLast, maxCount, planRetention } from "@ckpt/retention";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyCase, anyPolicy } from "./cases.js";
import { header, history, propertyRuns, sequences, T0 } from "./headers.js";

const nowMs = T0 + 3_600_000;

/** Where a recovery ends that goes back from the head, or from the newest where there is none: brute force over the headers. */
function recovered(
  headers: readonly CheckpointHeader[],
  headId: string | null,
  damagedIds: readonly string[],
) {
  const newestFirst = [...headers].sort((a, b) => b.sequence - a.sequence);
  let at = headers.find((h) => h.id === headId) ?? newestFirst[0];
  while (at !== undefined && damagedIds.includes(at.id)) {
    const { parentId, sequence } = at;
    if (parentId === null) return undefined;
    const parent = headers.find((h) => h.id === parentId && h.sequence < sequence);
    const limit = Math.min(sequence, Number(parentId.split(":").at(-1)));
    at = parent ?? newestFirst.find((h) => h.sequence < limit);
  }
  return at?.id;
}

describe("a damaged head", () => {
  it("keeps the newest older checkpoint where its parent was removed before", () => {
    const headers = [header(1), header(5), header(8, { parentId: "agent:7" })];
    const plan = planRetention(headers, keepLast(1), nowMs, { headId: "agent:5", damagedIds: ["agent:5"] });
    expect(sequences(plan.keep)).toEqual([1, 5, 8]);
    expect(plan.keep[0]?.reasons[0]?.code).toBe("head-fallback");
  });

  it("keeps its intact ancestor however often a plan is carried out", () => {
    const context = { headId: "agent:3", damagedIds: ["agent:2", "agent:3"] };
    let headers = history(6);
    for (let round = 0; round < 3; round++) {
      headers = planRetention(headers, keepLast(1), nowMs, context).keep.map((d) => d.header);
      expect(headers.map((h) => h.id)).toContain("agent:1");
    }
  });

  it("keeps what leads to its ancestor, so that none of another line is taken for it", () => {
    // Rolled back from 3 to 1, and gone on from there with 4 and 5.
    const headers = [
      header(1),
      header(2, { name: "recovery" }),
      header(3, { name: "recovery" }),
      header(4, { parentId: "agent:1" }),
      header(5),
      header(6),
    ];
    const context = { headId: "agent:5", damagedIds: ["agent:4", "agent:5"] };
    const plan = planRetention(headers, forName("routine", keepLast(1)), nowMs, context);
    expect(sequences(plan.keep)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(plan.keep[3]).toMatchObject({ isProtected: true, reasons: [{ code: "head-lineage" }] });
  });

  it("keeps its damaged ancestors where none is intact, so that what was rolled back is not taken for one", () => {
    // Rolled back from 3 to 1, and gone on from there with 4 and 5.
    const headers = [header(1), header(2), header(3), header(4, { parentId: "agent:1" }), header(5)];
    const context = { headId: "agent:5", damagedIds: ["agent:1", "agent:4", "agent:5"] };
    const plan = planRetention(headers, anyOf(keepLast(1), maxCount(1)), nowMs, context);
    expect(sequences(plan.keep)).toEqual([1, 3, 4, 5]);
    expect(plan.keep[0]).toMatchObject({ isProtected: true, reasons: [{ code: "head-lineage" }] });
  });

  it("that was removed has the newest in its place, as in a recovery", () => {
    // Rolled back from 3 to 1, and gone on from there with 4; 5 was the head.
    const headers = [header(1), header(2), header(3), header(4, { parentId: "agent:1" })];
    const context = { headId: null, damagedIds: ["agent:4"] };
    expect(sequences(planRetention(headers, keepLast(1), nowMs, context).keep)).toEqual([1, 3, 4]);
    const capped = planRetention(headers, anyOf(keepLast(1), maxCount(1)), nowMs, context);
    expect(sequences(capped.keep)).toEqual([1, 3, 4]);
  });

  it("does not let the damaged ones on the way cost intact ones under a cap", () => {
    const context = { headId: "agent:10", damagedIds: ["agent:8", "agent:9", "agent:10"] };
    const plan = planRetention(history(10), anyOf(keepLast(3), maxCount(3)), nowMs, context);
    expect(sequences(plan.keep)).toEqual([6, 7, 8, 9, 10]);
  });

  it("is recovered to the same checkpoint before and after any plan", () => {
    fc.assert(
      fc.property(anyCase, anyPolicy, fc.boolean(), ({ headers, context, nowMs }, policy, hasHead) => {
        const headId = hasHead ? headers[0]!.id : null;
        const damagedIds = [headers[0]!.id, ...(context.damagedIds ?? [])];
        const before = recovered(headers, headId, damagedIds);
        const plan = planRetention(headers, policy, nowMs, { ...context, headId, damagedIds });
        const kept = plan.keep.map((d) => d.header);
        expect(recovered(kept, headId, damagedIds)).toBe(before);
      }),
      propertyRuns,
    );
  });
});

describe("ids that an import brought", () => {
  const headers = [header(1, { id: "draft" }), header(2, { id: "report:1" }), header(3), header(4)];

  it("are protected like those that a store gave", () => {
    const plan = planRetention(headers, keepLast(1), nowMs, {
      headId: "draft",
      pinnedIds: ["report:1", "report:2", "agent:2"],
    });
    expect(plan.keep.map((d) => [d.header.id, d.reasons[0]?.code])).toEqual([
      ["draft", "head"],
      ["report:1", "pinned"],
      ["agent:4", "newest-intact"],
    ]);
  });

  it("are refused when another checkpoint has the id, older or newer", () => {
    for (const twice of [
      [header(1, { id: "draft" }), header(2, { id: "draft" })],
      [header(1, { id: "agent:2" }), header(2)],
      [header(1), header(2, { id: "agent:1" })],
    ]) {
      expect(() => planRetention(twice, keepLast(1), nowMs)).toThrow("there twice");
    }
  });
});
