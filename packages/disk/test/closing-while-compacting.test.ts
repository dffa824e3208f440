import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { codeOf, freshDirectory, remove, saveAll } from "./support/store.js";

/** A store with much to copy. */
async function worn(): Promise<{ directory: string; store: DiskStore }> {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { segmentBytes: 65_536, autoCompact: false });
  await store.acquire("a");
  await saveAll(store, "a", 300, (i) => ({ i, text: `${i} `.repeat(200) }));
  await store.commit([remove("a", ...Array.from({ length: 150 }, (_, i) => 2 * i + 1))]);
  return { directory, store };
}

it("a compaction ends with its store: close() waits for it, and everything is there afterwards", async () => {
  const { directory, store } = await worn();
  const before = await store.list("a");
  let settled: string | undefined;
  const compaction = codeOf(store.compact()).then((code) => {
    settled = code ?? "done";
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.close();
  expect(settled).toBe("CKPT_CLOSED");
  await compaction;
  const again = new DiskStore(directory);
  expect(await again.list("a")).toEqual(before);
  for (const { id, stateHash } of before) expect((await again.load("a", id)).hash).toBe(stateHash);
  await again.close();
});

it("a compaction that waits for its turn when the store is closed never begins", async () => {
  const { store } = await worn();
  const codes = Promise.all([codeOf(store.compact()), codeOf(store.repair()), codeOf(store.compact())]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.close();
  expect(await codes).toEqual(["CKPT_CLOSED", "CKPT_CLOSED", "CKPT_CLOSED"]);
  expect(await codeOf(store.compact())).toBe("CKPT_CLOSED");
});

it("a compaction's own signal still ends it as aborted", async () => {
  const { store } = await worn();
  const abort = new AbortController();
  const compaction = codeOf(store.compact({ signal: abort.signal }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  abort.abort();
  expect(await compaction).toBe("CKPT_ABORTED");
  await store.close();
});

it("a repair that is aborted, or whose store is closed, while it reads a segment says so with a code", async () => {
  const { directory, store } = await worn();
  await store.close();
  const reads: (() => void)[] = [];
  const fs = { ...nodeFileSystem };
  // What opening has to read is read already when a repair reads all of it again.
  const reopened = new DiskStore(directory, { fs, autoCompact: false });
  await reopened.list("a");
  fs.open = async (...args) => {
    const handle = await nodeFileSystem.open(...args);
    if (args[1].access === "read" && args[0].endsWith(".seg")) for (const begun of reads) begun();
    return handle;
  };
  const whenReading = (act: () => unknown) => reads.push(() => void act());
  const abort = new AbortController();
  whenReading(() => abort.abort(new Error("enough")));
  expect(await codeOf(reopened.repair({ dryRun: true, signal: abort.signal }))).toBe("CKPT_ABORTED");
  reads.length = 0;
  let closing: Promise<void> | undefined;
  whenReading(() => {
    closing ??= reopened.close();
  });
  expect(await codeOf(reopened.repair())).toBe("CKPT_CLOSED");
  await closing;
});
