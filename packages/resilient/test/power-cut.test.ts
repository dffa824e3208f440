import { exploreCuts, exploreFailedSyncs, type FaultyFileSystem, WORKLOADS } from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import { withFallback, withMirror, withRetry } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";

const disk = (fs: FaultyFileSystem, directory: string) =>
  new DiskStore(directory, { fs, segmentBytes: 8_192, reserveBytes: 4_096, autoCompact: false });

const stores = {
  "a store that retries": async (fs: FaultyFileSystem) => withRetry(disk(fs, "/store")),
  "a mirrored store": async (fs: FaultyFileSystem) => withMirror(disk(fs, "/one"), disk(fs, "/two")),
  "a store with a fallback": async (fs: FaultyFileSystem) => withFallback(disk(fs, "/one"), disk(fs, "/two")),
};

// `npm run validate -- --store mirror` tries every moment.
describe("the decorators on real disk stores", { timeout: 240_000 }, () => {
  for (const [name, open] of Object.entries(stores)) {
    it(`${name} loses nothing acknowledged and returns nothing wrong after a power cut`, async () => {
      const report = await exploreCuts({ workload: WORKLOADS.batches!, open, every: 17, outcomes: 1 });
      expect(report.breaches).toEqual([]);
      expect(report.acknowledged).toBeGreaterThan(5);
      expect(report.distinctStates).toBeGreaterThan(8);
    });

    it(`${name} keeps its promises when a sync fails`, async () => {
      const workload = WORKLOADS.saves!;
      const report = await exploreFailedSyncs({
        workload,
        open,
        everySync: 17,
        every: 97,
        outcomes: 1,
        modes: ["torn"],
      });
      expect(report.breaches).toEqual([]);
      expect(report.failedSyncs).toBeGreaterThan(4);
    });
  }
});
