import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { filesOf, findingsOf, freshDirectory, put } from "./support/store.js";

it("finds nothing wrong with a hint that this process is just writing", async () => {
  const directory = await freshDirectory();
  let goOn = (): void => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const open: typeof nodeFileSystem.open = async (file, options) => {
    // The hint is in its place, and the segment does not live on it yet.
    if (file.endsWith(".hint") && options.access === "read") await gate;
    return nodeFileSystem.open(file, options);
  };
  const store = new DiskStore(directory, {
    fs: { ...nodeFileSystem, open },
    segmentBytes: 4096,
    autoCompact: false,
  });
  await store.acquire("a");
  let n = 0;
  const hints = async () => [...(await filesOf(directory)).keys()].filter((name) => name.endsWith(".hint"));
  while ((await hints()).length === 0) {
    n++;
    await store.commit([put("a", n, { n, text: "x".repeat(700) })]);
  }
  expect(await findingsOf(store)).toEqual([]);
  goOn();
  await store.close();
});
