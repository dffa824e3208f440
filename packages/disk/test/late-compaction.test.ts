import { writeFile } from "node:fs/promises";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { encodeCheckedJson } from "../src/checked-json.js";
import { codeOf, filesOf, freshDirectory, put, saveAll } from "./support/store.js";

it("discards what was compacted from a list of segments that someone else has replaced meanwhile", async () => {
  const directory = await freshDirectory();
  let armed = false;
  const manifest = encodeCheckedJson({ format: 1, number: 1, replaced: [], outputs: [] });
  const open: typeof nodeFileSystem.open = async (file, options) => {
    if (armed && file.endsWith(".seg") && options.create === "exclusive") {
      armed = false;
      await writeFile(path.join(directory, "manifests", "00000001.json"), manifest);
    }
    return nodeFileSystem.open(file, options);
  };
  const store = new DiskStore(directory, { fs: { ...nodeFileSystem, open }, autoCompact: false });
  await store.acquire("a");
  await saveAll(store, "a", 4, (i) => ({ i }));
  armed = true;
  expect(await codeOf(store.compact())).toBe("CKPT_CONFLICT");
  expect([...(await filesOf(directory)).keys()].filter((name) => name.endsWith(".seg"))).toHaveLength(1);
  expect((await store.load("a", "a:3")).toValue()).toEqual({ i: 3 });
  await store.commit([put("a", 5, { i: 5 })]);
  await store.compact();
  expect(await store.list("a")).toHaveLength(5);
  await store.close();
});

it("takes back nothing of what a failed compaction could not remove: removals and ends of guards stay", async () => {
  const directory = await freshDirectory();
  let isFull = false;
  const open: typeof nodeFileSystem.open = async (file, options) => {
    if (isFull && options.create === "exclusive" && /manifests|heads/.test(file))
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    return nodeFileSystem.open(file, options);
  };
  const fs = { ...nodeFileSystem, open };
  const store = new DiskStore(directory, { fs, autoCompact: false, reserveBytes: 0 });
  await store.acquire("a");
  await saveAll(store, "a", 10, (i) => ({ i }));
  const guard = { guardId: "g1", operation: "pay", checkpointId: "a:10" };
  await store.commit([{ op: "event", agentId: "a", event: { kind: "guard-begun", ...guard } }]);
  isFull = true;
  expect(await codeOf(store.compact())).toBe("CKPT_NO_SPACE");
  isFull = false;
  const done = { kind: "guard-done", guardId: "g1", outcome: "completed" } as const;
  await store.commit([{ op: "event", agentId: "a", event: done }]);
  await store.commit([{ op: "remove", agentId: "a", ids: ["a:1", "a:2", "a:3"], reason: "test" }]);
  await store.commit([put("a", 11, { i: 11 })]);
  await store.compact();
  await store.close();
  const again = new DiskStore(directory, { autoCompact: false });
  expect((await again.list("a")).map(({ sequence }) => sequence)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  expect((await again.agent("a"))?.openGuards).toEqual([]);
  expect(again.takeFindings()).toEqual([]);
  await again.close();
});
