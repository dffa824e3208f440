import type { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { DiskStore } from "@ckpt/disk";

/**
 * The store that the explorers drive: small segments, so that short workloads rotate; no background work, so that a run can be replayed
 * by its seed.
 */
export const openExplored = async (fs: FaultyFileSystem): Promise<DiskStore> =>
  new DiskStore("/store", {
    fs,
    segmentBytes: 8_192,
    reserveBytes: 4_096,
    maxChainDeltas: 6,
    autoCompact: false,
  });
