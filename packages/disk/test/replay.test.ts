import { snapshot } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import type { PutEntry, RemovalEntry, StoredEntry } from "../src/entry.js";
import { replay } from "../src/replay.js";

const nowhere = { segment: { writerId: "w", number: 1 }, offset: 0, length: 1 };
const hash = snapshot(1).hash;

function put(epoch: number, n: number, sequence: number): PutEntry {
  const id = `a:${sequence}`;
  const header = {
    ...{ id, agentId: "a", sequence, name: "x", timestamp: "t", parentId: null, stateHash: hash },
    ...{ stateBytes: 1, metadata: {}, schemaVersion: null, epoch },
  };
  return {
    kind: "put",
    agentId: "a",
    epoch,
    n,
    header,
    base: null,
    ...nowhere,
    sectionOffset: 0,
    sectionBytes: 1,
  };
}

function removal(epoch: number, n: number, ...ids: string[]): RemovalEntry {
  return { kind: "removal", agentId: "a", epoch, n, ids, reason: "", ...nowhere };
}

const ids = async (entries: readonly StoredEntry[]) =>
  (await replay("a", entries)).history.list({}).map(({ id }) => id);

describe("replaying an agent's entries", () => {
  it("orders them by epoch and number, whatever the order of the files", async () => {
    const entries = [put(2, 3, 3), removal(2, 4, "a:1"), put(1, 1, 1), put(1, 2, 2)];
    expect(await ids(entries)).toEqual(["a:2", "a:3"]);
    expect((await replay("a", entries)).history.state()).toMatchObject({
      headId: "a:3",
      lastSequence: 3,
      count: 2,
    });
  });

  it("ignores what a former holder wrote behind the first entry of a later one, and says so", async () => {
    const late = put(1, 3, 3);
    const replayed = await replay("a", [put(1, 1, 1), put(1, 2, 2), late, put(2, 3, 4), put(2, 4, 5)]);
    expect(replayed.history.list({}).map(({ id }) => id)).toEqual(["a:1", "a:2", "a:4", "a:5"]);
    expect(replayed.superseded).toEqual([late]);
  });

  it("takes the same entry twice for one", async () => {
    expect(await ids([put(1, 1, 1), put(1, 1, 1), put(1, 2, 2)])).toEqual(["a:1", "a:2"]);
  });

  it("names the numbers that are in no segment, and the checkpoints that they may have been", async () => {
    const { lost } = await replay("a", [put(1, 1, 1), put(1, 4, 4)]);
    expect(lost).toEqual([{ from: 2, to: 3, ids: ["a:2", "a:3"] }]);
    expect((await replay("a", [put(1, 2, 2)])).lost).toEqual([{ from: 1, to: 1, ids: ["a:1"] }]);
  });

  it("names just the lost ones between others that were removed", async () => {
    const at = { agentId: "a", epoch: 1, n: 9, ...nowhere };
    const mark = { kind: "sequence", ...at, lastSequence: 9, seen: [[3, 4]] } as const;
    const left = [put(1, 1, 1), put(1, 2, 2), put(1, 6, 6), put(1, 7, 7)];
    expect((await replay("a", [...left, mark])).lost).toEqual([
      { from: 5, to: 5, ids: ["a:5"] },
      { from: 8, to: 9, ids: ["a:8", "a:9"] },
    ]);
  });

  it("does not miss what compaction has dropped", async () => {
    const mark = {
      kind: "sequence",
      agentId: "a",
      epoch: 1,
      n: 4,
      lastSequence: 4,
      seen: [[1, 4]],
      ...nowhere,
    } as const;
    const { lost, history } = await replay("a", [put(1, 2, 2), mark, put(1, 5, 5)]);
    expect(lost).toEqual([]);
    expect(history.lastSequence).toBe(5);
    expect((await replay("a", [mark])).history).toMatchObject({
      lastSequence: 4,
      lastNumber: 4,
      headId: null,
    });
  });

  it("keeps the head gone when the checkpoint that was the head was removed and dropped", async () => {
    const gone = { kind: "gone", agentId: "a", epoch: 1, n: 3, ...nowhere } as const;
    expect((await replay("a", [put(1, 1, 1), gone])).history.headId).toBeNull();
    expect((await replay("a", [put(1, 1, 1), gone, put(1, 4, 4)])).history.headId).toBe("a:4");
  });
});
