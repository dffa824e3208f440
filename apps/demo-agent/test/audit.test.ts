import { CheckpointManager, MemoryStore } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { audit, bytesUnder, wholeStateBytes } from "../src/parent/audit.js";
import type { Ack } from "../src/parent/ledger.js";
import { AGENT_ID } from "../src/shared/layout.js";
import { scratch } from "./scratch.js";

async function history() {
  const store = new MemoryStore();
  const manager = new CheckpointManager<{ step: number }>({ sessionId: AGENT_ID, store });
  const acks = new Map<string, Ack>();
  for (let step = 1; step <= 3; step++) {
    const { id, sequence, stateHash, name } = await manager.create("routine", { step });
    acks.set(id, { type: "ack", checkpointId: id, sequence, stateHash, name, step });
  }
  return { store, acks };
}

describe("the audit of the store", () => {
  it("finds every acknowledged checkpoint, and reads back those it is asked to", async () => {
    const { store, acks } = await history();
    const [first] = acks.keys();
    expect(await audit(store, acks, new Set([first!]))).toEqual({ listed: 3, loaded: 1, lost: [] });
    expect(await audit(store, acks, new Set(acks.keys()))).toEqual({ listed: 3, loaded: 3, lost: [] });
  });

  it("reports one that is gone, one with another state and one that cannot be read", async () => {
    const { store, acks } = await history();
    const [first, second, third] = [...acks.values()];
    await store.commit([{ op: "remove", agentId: AGENT_ID, ids: [first!.checkpointId], reason: "test" }]);
    acks.set(second!.checkpointId, { ...second!, stateHash: "0".repeat(64) });
    const load = store.load.bind(store);
    store.load = async (agentId, id, options) => {
      if (id === third!.checkpointId) await load(agentId, `${id}0`, options);
      return load(agentId, id, options);
    };
    const { listed, loaded, lost } = await audit(store, acks, new Set(acks.keys()));
    expect({ listed, loaded }).toEqual({ listed: 1, loaded: 0 });
    expect(lost).toEqual([
      expect.stringMatching(/:1 \(step 1\) is not in the store/),
      expect.stringMatching(/:2 \(step 2\) is in the store with another state/),
      expect.stringMatching(/:3 \(step 3\) cannot be read: CKPT_NOT_FOUND/),
    ]);
  });

  it("adds up what whole states would have cost, and what is on disk", async () => {
    const { store } = await history();
    expect(await wholeStateBytes(store)).toEqual({
      sum: 3 * '{"step":1}'.length,
      last: '{"step":3}'.length,
      saves: 3,
    });
    expect(await bytesUnder(await scratch({ a: "12", "b/c": "345" }))).toBe(5);
  });
});
