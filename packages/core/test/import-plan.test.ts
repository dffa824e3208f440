import { snapshot } from "@ckpt/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ImportedEntry } from "../src/import-document.js";
import { planImport } from "../src/import-plan.js";

const runs = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };
const entry = (id: string, state: unknown = id): ImportedEntry => ({
  id,
  name: "a",
  timestamp: "2026-01-31T09:00:00+00:00",
  metadata: {},
  schemaVersion: null,
  snapshot: snapshot(state),
});
const EMPTY = { agentId: "s", lastSequence: 0, taken: [], onConflict: "renumber" } as const;
const ids = (...given: string[]) =>
  planImport(
    given.map((id) => entry(id)),
    EMPTY,
  ).map(({ header }) => header.id);

describe("the plan of an import", () => {
  it("renumbers only those whose id is taken: the text's own ids are left to their owners", () => {
    expect(ids("s:1", "s:1", "s:2", "s:3")).toEqual(["s:1", "s:4", "s:2", "s:3"]);
    expect(ids("x", "x", "s:2")).toEqual(["x", "s:3", "s:2"]);
  });

  it("chains entries as the line that they were, also across those that are passed over", () => {
    const taken = [{ id: "s:2", stateHash: snapshot("s:2").hash }] as never;
    const plan = planImport(
      ["s:1", "s:2", "s:3"].map((id) => entry(id)),
      {
        ...EMPTY,
        lastSequence: 2,
        taken,
        onConflict: "skip",
      },
    );
    expect(plan.map(({ header }) => [header.id, header.parentId])).toEqual([
      ["s:1", null],
      ["s:3", "s:2"],
    ]);
  });

  it("gives rising sequences, unique ids, and leaves no id that a later create could meet", () => {
    const id = fc.oneof(
      fc.nat(30).map((n) => `s:${n}`),
      fc.constantFrom("s:", "s:007", "s:1e3", "s:-1", "other:1", "s:s:1", "s"),
    );
    fc.assert(
      fc.property(fc.array(id, { maxLength: 25 }), fc.nat(20), (list, lastSequence) => {
        const plan = planImport(
          list.map((one) => entry(one)),
          { ...EMPTY, lastSequence },
        );
        const sequences = plan.map(({ header }) => header.sequence);
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
        expect(plan).toHaveLength(list.length);
        expect(new Set(plan.map(({ header }) => header.id)).size).toBe(list.length);
        const last = sequences.at(-1) ?? lastSequence;
        expect(sequences[0] ?? last + 1).toBeGreaterThan(lastSequence);
        for (const { header } of plan) {
          const [, number] = /^s:([1-9]\d*)$/.exec(header.id) ?? [];
          if (number !== undefined) expect(Number(number)).toBeLessThanOrEqual(last);
        }
      }),
      runs,
    );
  });
});
