import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type CheckpointDraft, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { expect, it, onTestFinished } from "vitest";

const draft = (agentId: string, sequence: number): CheckpointDraft => ({
  id: `${agentId}:${sequence}`,
  agentId,
  sequence,
  name: "routine",
  timestamp: "2026-01-01T00:00:00+00:00",
  parentId: sequence === 1 ? null : `${agentId}:${sequence - 1}`,
  metadata: {},
  schemaVersion: null,
});

it("loses no save that is acknowledged while compaction runs", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ckpt-compact-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const options = { autoCompact: false, reserveBytes: 0 };
  const store = new DiskStore(directory, options);
  const acknowledged: string[] = [];
  let savers = 0;
  const save = async (agentId: string) => {
    savers++;
    await store.acquire(agentId);
    for (let sequence = 1; sequence <= 150; sequence++) {
      const state = snapshot({ agentId, sequence, text: `step ${sequence} `.repeat(60) });
      await store.commit([{ op: "put", header: draft(agentId, sequence), snapshot: state }]);
      acknowledged.push(`${agentId}:${sequence}`);
      await pause(1);
    }
    savers--;
  };
  const agents = ["a", "b"];
  const saving = Promise.all(agents.map(save));
  let compactions = 0;
  for (; savers > 0; compactions++) await store.compact();
  await saving;
  expect(compactions).toBeGreaterThan(2);

  const check = async (where: DiskStore) => {
    const listed = new Set<string>();
    for (const agentId of agents) for (const { id } of await where.list(agentId)) listed.add(id);
    expect(acknowledged.filter((id) => !listed.has(id))).toEqual([]);
    for (const id of acknowledged) {
      const [agentId, sequence] = id.split(":") as [string, string];
      expect((await where.load(agentId, id)).toValue()).toMatchObject({
        agentId,
        sequence: Number(sequence),
      });
    }
  };
  await check(store);
  await store.close();
  const reopened = new DiskStore(directory, options);
  await check(reopened);
  await reopened.close();
});
