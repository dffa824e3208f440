import { DiskStore } from "@ckpt/disk";
import { expect, it } from "vitest";
import { type Saver, startSaver } from "./support/child.js";
import { filesOf, findingsOf, freshDirectory } from "./support/store.js";

// CKPT_KILLS=200 is the full size.
const kills = Number(process.env.CKPT_KILLS ?? 6);
const agents = Array.from({ length: 8 }, (_, i) => `agent-${i}`);

/** What the saver has said so far: hash per tried checkpoint, and the last sequence acknowledged per agent. */
function readLines(saver: Saver, tried: Map<string, string>, acked: Map<string, number>): number {
  let count = 0;
  for (const line of saver.lines) {
    const [verb, agentId, sequence, hash] = line.split(" ") as [string, string, string, string?];
    if (verb === "TRY") tried.set(`${agentId}:${sequence}`, hash!);
    if (verb !== "ACK") continue;
    acked.set(agentId, Number(sequence));
    count++;
  }
  return count;
}

async function check(
  directory: string,
  tried: Map<string, string>,
  acked: Map<string, number>,
  all: boolean,
) {
  const store = new DiskStore(directory);
  for (const agentId of agents) {
    const headers = await store.list(agentId);
    const last = acked.get(agentId) ?? 0;
    if (last > 0)
      expect([agentId, headers.some(({ sequence }) => sequence === last)]).toEqual([agentId, true]);
    for (const { id, stateHash } of all ? headers : headers.slice(-3)) {
      expect([id, tried.get(id)]).toEqual([id, stateHash]);
      expect((await store.load(agentId, id)).toValue()).toMatchObject({ agentId });
    }
  }
  expect(store.takeFindings()).toEqual([]);
  await store.close();
}

it(`loses nothing acknowledged when a process that saves in 8 agents is killed ${kills} times`, async () => {
  const directory = await freshDirectory();
  const tried = new Map<string, string>();
  const acked = new Map<string, number>();
  let saves = 0;
  for (let kill = 0; kill < kills; kill++) {
    const saver = await startSaver("save", directory, ...agents);
    await saver.seen("ACK", 1 + Math.floor(Math.random() * 60));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    await saver.kill();
    saves += readLines(saver, tried, acked);
    await check(directory, tried, acked, kill === kills - 1);
  }
  expect(saves).toBeGreaterThan(kills * 10);
  const store = new DiskStore(directory);
  await store.acquire("keeper");
  await store.compact();
  const writers = new Set(
    [...(await filesOf(directory)).keys()].map((name) => name.split("/").slice(0, 2).join("/")),
  );
  expect([...writers].filter((name) => name.startsWith("writers/"))).toHaveLength(1);
  expect(await findingsOf(store)).toEqual([]);
  await store.close();
  await check(directory, tried, acked, true);
}, 600_000);

it("gives a killed process's agents to the next one, and no agent of a living one", async () => {
  const directory = await freshDirectory();
  const first = await startSaver("save", directory, "a", "b");
  await first.seen("ACK a", 3);
  const store = new DiskStore(directory);
  await expect(store.acquire("a")).rejects.toMatchObject({
    code: "CKPT_LOCKED",
    details: { holder: { pid: first.pid } },
  });
  const other = await store.acquire("c");
  await first.kill("SIGSTOP");
  await expect(store.acquire("b")).rejects.toMatchObject({ code: "CKPT_LOCKED" });
  await first.kill("SIGCONT");
  await first.kill();
  const lease = await store.acquire("a");
  expect(lease.epoch).toBe(2);
  await other.release();
  await lease.release();
  await store.close();
});

it("shows a reader what another process saves, as it goes, without a finding", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  expect(await store.agents()).toEqual([]);
  const saver = await startSaver("save", directory, "a", "b");
  let last = 0;
  for (let round = 1; round <= 10; round++) {
    await saver.seen("ACK a", last + round);
    const acked = saver.lines.filter((line) => line.startsWith("ACK a")).length;
    const newest = (await store.list("a", { reverse: true, limit: 1 }))[0]!;
    expect(newest.sequence).toBeGreaterThanOrEqual(acked);
    expect(newest.sequence).toBeGreaterThan(last);
    last = newest.sequence;
    // The saver goes on meanwhile and removes one in five, twenty saves later: the newest of those that it keeps.
    const sequence = newest.sequence % 5 === 0 ? newest.sequence - 1 : newest.sequence;
    const loaded = await store.load("a", `a:${sequence}`);
    expect(loaded.toValue()).toMatchObject({ agentId: "a", sequence });
  }
  expect(await store.agents()).toEqual(["a", "b"]);
  expect(store.takeFindings()).toEqual([]);
  const before = await filesOf(directory);
  await saver.kill("SIGSTOP");
  const paused = await filesOf(directory);
  expect(await findingsOf(store)).toEqual([]);
  await store.close();
  expect([...(await filesOf(directory)).keys()]).toEqual([...paused.keys()]);
  expect(before.size).toBeGreaterThan(0);
});
