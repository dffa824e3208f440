import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CheckpointHeader } from "../src/checkpoint-header.js";
import { protectedIds, thin } from "../src/thinning.js";

const runs = { numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? 300) };

const header = (name: string, index: number): CheckpointHeader => ({
  id: `s:${index + 1}`,
  agentId: "s",
  sequence: index + 1,
  name,
  timestamp: "2026-01-31T09:00:00+00:00",
  parentId: null,
  stateHash: "0".repeat(64),
  stateBytes: 1,
  metadata: {},
  schemaVersion: null,
  epoch: 1,
});
const NONE: ReadonlySet<string> = new Set();

describe("thinning", () => {
  it("keeps what is protected, wherever it stands", () => {
    const history = Array.from({ length: 60 }, (_, i) => header("a", i));
    const rule = { compressAfter: 50, maxCheckpoints: 10, protectedIds: new Set(["s:7", "s:1"]) };
    const { compressed, overLimit } = thin(history, rule);
    expect(compressed).not.toContain("s:7");
    expect(overLimit).not.toContain("s:1");
    const gone = new Set([...compressed, ...overLimit]);
    expect(history.filter(({ id }) => !gone.has(id)).map(({ sequence }) => sequence)).toEqual([
      1, 7, 53, 54, 55, 56, 57, 58, 59, 60,
    ]);
  });

  it("removes nothing twice, nothing recent, and never the last one of a name by compression", () => {
    const names = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 120 });
    fc.assert(
      fc.property(
        names,
        fc.nat(80),
        fc.integer({ min: 1, max: 130 }),
        (list, compressAfter, maxCheckpoints) => {
          const history = list.map(header);
          const { compressed, overLimit } = thin(history, {
            compressAfter,
            maxCheckpoints,
            protectedIds: NONE,
          });
          expect(new Set([...compressed, ...overLimit]).size).toBe(compressed.length + overLimit.length);
          const left = history.filter(({ id }) => !compressed.includes(id));
          if (list.length <= compressAfter || list.length <= 21) expect(compressed).toEqual([]);
          else expect(left.length).toBeLessThanOrEqual(21 + new Set(list).size);
          expect(left.slice(0, 1)).toEqual(history.slice(0, 1));
          expect(left.slice(-20)).toEqual(history.slice(-20));
          expect(new Set(left.map(({ name }) => name))).toEqual(new Set(list));
          expect(left.length - overLimit.length).toBe(Math.min(left.length, maxCheckpoints));
          expect(overLimit).toEqual(left.slice(0, overLimit.length).map(({ id }) => id));
        },
      ),
      runs,
    );
  });

  it("protects the head, pins and the bases of open guards", () => {
    expect(protectedIds(undefined).size).toBe(0);
    const agent = {
      agentId: "s",
      count: 3,
      lastSequence: 3,
      headId: "s:3",
      openGuards: [{ guardId: "g", operation: "drop", checkpointId: "s:1" }],
      pinnedIds: ["s:2"],
      notes: {},
    };
    expect(protectedIds(agent)).toEqual(new Set(["s:1", "s:2", "s:3"]));
    expect(protectedIds({ ...agent, headId: null })).toEqual(new Set(["s:1", "s:2"]));
  });
});
