import { expect, it } from "vitest";
import type { PutEntry, RemovalEntry, SequenceMark } from "../src/entry.js";
import { StoreLayout } from "../src/layout.js";
import { namedRanges } from "../src/named-ids.js";
import { replay } from "../src/replay.js";
import { lostFindings } from "../src/segment-findings.js";

const nowhere = { segment: { writerId: "w", number: 1 }, offset: 0, length: 1 };
const layout = new StoreLayout("/store");

const removal = (n: number): RemovalEntry => ({
  ...{ kind: "removal", agentId: "a", epoch: 1, n, ids: [], reason: "", ...nowhere },
});

function put(n: number, sequence: number): PutEntry {
  const header = {
    ...{ id: `a:${sequence}`, agentId: "a", sequence, name: "x", timestamp: "t", parentId: null },
    ...{ stateHash: "", stateBytes: 1, metadata: {}, schemaVersion: null, epoch: 1 },
  };
  return {
    ...{ kind: "put", agentId: "a", epoch: 1, n, header, base: null, ...nowhere },
    ...{ sectionOffset: 0, sectionBytes: 1 },
  };
}

it("looks for the put after a hole once, not from every hole on", async () => {
  let looks = 0;
  const entries = Array.from({ length: 2_000 }, (_, i) =>
    Object.defineProperty({ ...removal(3 + 2 * i) }, "kind", {
      get: () => {
        looks++;
        return "removal";
      },
    }),
  );
  const { lost } = await replay("a", entries);
  expect(lost).toHaveLength(2_000);
  expect(looks).toBeLessThan(100 * entries.length);
});

it("takes as many marks as there are", async () => {
  const at = { kind: "sequence", agentId: "a", epoch: 1, ...nowhere } as const;
  const marks = Array.from(
    { length: 300_000 },
    (_, i): SequenceMark => ({ ...at, n: i + 1, lastSequence: i + 1, seen: [] }),
  );
  const { lost, history } = await replay("a", marks);
  expect(history.lastSequence).toBe(300_000);
  expect(lost).toMatchObject([{ from: 1, to: 300_000 }]);
});

it("names ten thousand checkpoints of an agent at most, and tells every hole", async () => {
  const puts = Array.from({ length: 20_000 }, (_, i) => put(2 + 2 * i, 1_000 + 2_000 * i));
  const { lost } = await replay("a", puts);
  expect(lost).toHaveLength(20_000);
  expect(lost.reduce((sum, { ids }) => sum + ids.length, 0)).toBe(10_000);
  const findings = lostFindings(layout, "a", lost);
  expect(findings.length).toBe(101);
  expect(findings[0]).toMatchObject({ kind: "missing", affectedIds: { length: 999 } });
  expect(findings.at(-1)?.message).toMatch(
    /^19900 more entries of "a" between 201 and 39999 .* at 19900 places/,
  );
});

it("names ten thousand checkpoints of a lost segment at most, and says how many more there may be", () => {
  const { ids, more } = namedRanges(Array.from({ length: 50_000 }, (_, i) => [`a${i}`, 1, 2 ** 40]));
  expect(ids).toHaveLength(10_000);
  expect(more).toMatch(/up to \d+ checkpoints more/);
  expect(
    namedRanges([
      ["a", 2, 3],
      ["b", 0, 0],
    ]),
  ).toEqual({ ids: ["a:2", "a:3"], more: "" });
});
