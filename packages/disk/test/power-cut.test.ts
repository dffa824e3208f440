import {
  exploreCuts,
  exploreFailedSyncs,
  exploreFaults,
  exploreRaces,
  type FaultyFileSystem,
  prepareScene,
  WORKLOADS,
} from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import { describe, expect, it } from "vitest";

// Small segments, so that the workloads rotate; no background work, so that runs can be replayed.
const options = { segmentBytes: 8_192, reserveBytes: 4_096, maxChainDeltas: 6, autoCompact: false };
const open = async (fs: FaultyFileSystem) => new DiskStore("/store", { fs, ...options });

// CKPT_EXPLORE=full tries every moment and operation instead of some.
const full = process.env.CKPT_EXPLORE === "full";
const some = (every: number) => (full ? 1 : every);

describe("the disk store", { timeout: 600_000 }, () => {
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    it(`loses nothing acknowledged and returns nothing wrong after a power cut at any moment: ${name}`, async () => {
      const report = await exploreCuts({ workload, open, every: some(13), outcomes: full ? 6 : 2 });
      expect(report.breaches).toEqual([]);
      expect(report.distinctStates).toBeGreaterThan(15);
    });

    it(`keeps its promises when any operation fails in any way: ${name}`, async () => {
      const report = await exploreFaults({ workload, open, every: some(name === "compaction" ? 431 : 149) });
      expect(report.breaches).toEqual([]);
      expect(report.typedErrors).toBeGreaterThan(0);
    });
  }

  it("keeps its promises when a sync fails", async () => {
    const workload = WORKLOADS.batches!;
    const report = await exploreFailedSyncs({
      workload,
      open,
      everySync: some(11),
      every: some(41),
      outcomes: full ? 3 : 1,
    });
    expect(report.breaches).toEqual([]);
    expect(report.failedSyncs).toBeGreaterThan(9);
    expect(report.distinctStates).toBeGreaterThan(20);
  });

  it("keeps its promises when opening and recovery are cut short or fail", async () => {
    const cuts = [
      [1, 0.4],
      [2, 0.7],
      [3, 1],
    ] as const;
    for (const [seed, at] of full ? cuts : cuts.slice(1, 2)) {
      const before = { workload: WORKLOADS.compaction!, open, cut: { mode: "torn", seed } as const, at };
      const next = { workload: WORKLOADS.restarts!, open, from: await prepareScene(before) };
      expect((await exploreCuts({ ...next, every: some(37), outcomes: 2 })).breaches).toEqual([]);
      expect((await exploreFaults({ ...next, every: some(401) })).breaches).toEqual([]);
    }
  });

  it("never lets two processes hold one agent, and loses nothing to those that die", async () => {
    const report = await exploreRaces({ open, runs: full ? 100 : 6 });
    expect(report.breaches).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(50);
    expect(report.refused).toBeGreaterThan(10);
  });
});
