/** The stores that the simulated scenarios can drive, and how one's own is named. */
import { pathToFileURL } from "node:url";
import type { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import type { CheckpointStore } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { withFallback, withMirror, withRetry } from "@ckpt/resilient";

/** Opens the store under test on this file system, as a fresh process start would. */
export type OpenStore = (fs: FaultyFileSystem) => Promise<CheckpointStore>;

/** Small segments, so that short workloads rotate; no background work, so that a run can be replayed by its seed. */
const disk = (fs: FaultyFileSystem, directory = "/store"): DiskStore =>
  new DiskStore(directory, {
    fs,
    segmentBytes: 8_192,
    reserveBytes: 4_096,
    maxChainDeltas: 6,
    autoCompact: false,
  });

export const STORES: Readonly<Record<string, OpenStore>> = {
  disk: async (fs) => disk(fs),
  retry: async (fs) => withRetry(disk(fs)),
  mirror: async (fs) => withMirror(disk(fs, "/one"), disk(fs, "/two")),
  fallback: async (fs) => withFallback(disk(fs, "/one"), disk(fs, "/two")),
};

/**
 * The store of this name, or that of a module: its default export is an {@link OpenStore}. Throws when there is neither, with the names.
 */
export async function findStore(name: string): Promise<OpenStore> {
  const known = STORES[name];
  if (known !== undefined) return known;
  const names = Object.keys(STORES).join(", ");
  if (!/[./\\]/.test(name)) throw new Error(`no store ${name}; there are ${names}, and paths of modules`);
  const module = (await import(pathToFileURL(name).href)) as { default?: unknown };
  if (typeof module.default !== "function")
    throw new Error(
      `the default export of ${name} is no function that opens a store on the file system it is given`,
    );
  return module.default as OpenStore;
}
