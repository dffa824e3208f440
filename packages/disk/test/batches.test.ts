import { type Snapshot, snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { type FileSystem, nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { boundTo } from "./support/bound-to.js";
import { codeOf, freshDirectory, put } from "./support/store.js";

/** A file system that counts the bytes that are read of segments. */
function countingReads(): { fs: FileSystem; bytes: number } {
  const inner = boundTo(nodeFileSystem);
  const counter = { bytes: 0 };
  const fs: FileSystem = {
    ...inner,
    open: async (path, options) => {
      const handle = await inner.open(path, options);
      if (!path.endsWith(".seg")) return handle;
      const read = handle.read.bind(handle);
      return Object.assign(handle, {
        read: async (...args: Parameters<typeof read>) => {
          const bytes = await read(...args);
          counter.bytes += bytes;
          return bytes;
        },
      });
    },
  };
  return Object.assign(counter, { fs });
}

const value = (blob: Uint8Array, i: number) => ({ blob, log: [`step ${i}`, i], i });

it.each([
  ["two fragments", 1_200_000],
  ["more than is read at a time", 3_000_000],
])("states that were put in one batch are read back with one reading of it: %s", async (_, blobBytes) => {
  const directory = await freshDirectory();
  const counter = countingReads();
  const store = new DiskStore(directory, { fs: counter.fs, autoCompact: false });
  for (const agentId of ["a", "b"]) await store.acquire(agentId);
  const blob = new Uint8Array(blobBytes).fill(7);
  let previous: Snapshot | undefined;
  const batch = Array.from({ length: 200 }, (_, i) => {
    const entry = put(i % 5 === 4 ? "b" : "a", i + 1, value(blob, i + 1), { previous });
    previous = entry.snapshot;
    return entry;
  });
  const { bytesWritten } = await store.commit(batch);
  for (const i of [1, 2, 100, 197, 199, 200]) {
    counter.bytes = 0;
    const { agentId, id } = batch[i - 1]!.header;
    const progress: number[] = [];
    const loaded = await store.load(agentId, id, {
      onProgress: ({ doneBytes, totalBytes }) => progress.push(doneBytes / totalBytes),
    });
    expect(loaded.hash).toBe(snapshot(value(blob, i)).hash);
    expect(progress.at(-1)).toBe(1);
    expect(counter.bytes).toBeLessThan(bytesWritten + 100_000);
  }
  await store.close();
});

it("a load of a batch ends when its signal fires", async () => {
  const store = new DiskStore(await freshDirectory(), { autoCompact: false });
  await store.acquire("a");
  const blob = new Uint8Array(3_000_000).fill(7);
  let previous: Snapshot | undefined;
  const batch = Array.from({ length: 2000 }, (_, i) => {
    const entry = put("a", i + 1, value(blob, i + 1), { previous });
    previous = entry.snapshot;
    return entry;
  });
  await store.commit(batch);
  const abort = new AbortController();
  let deltas = 0;
  const loading = store.load("a", "a:2000", {
    signal: abort.signal,
    onProgress: () => {
      if (++deltas === 20) abort.abort();
    },
  });
  expect(await codeOf(loading)).toBe("CKPT_ABORTED");
  expect(deltas).toBeLessThan(1500);
  await store.close();
});
