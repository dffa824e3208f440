import { FaultyFileSystem } from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { filesOf, findingsOf, freshDirectory, put } from "./support/store.js";

const options = { reserveBytes: 0, autoCompact: false };
const hintsIn = async (directory: string) =>
  [...(await filesOf(directory)).keys()].filter((name) => /\.hint/.test(name));

it("takes up the hint of a segment that was read while its writer lived, and alarms nobody about it", async () => {
  const directory = await freshDirectory();
  const writer = new DiskStore(directory, options);
  const reader = new DiskStore(directory, { ...options, fs: { ...nodeFileSystem } });
  await writer.acquire("a");
  await writer.commit([put("a", 1, { n: 1 })]);
  expect(await reader.list("a")).toHaveLength(1);
  await writer.commit([put("a", 2, { n: 2 })]);
  await writer.close();
  const hints = await hintsIn(directory);
  expect(hints).toHaveLength(1);
  expect(await findingsOf(reader)).toEqual([]);
  expect((await reader.list("a")).map(({ id }) => id)).toEqual(["a:1", "a:2"]);
  expect((await reader.load("a", "a:2")).toValue()).toEqual({ n: 2 });
  expect((await reader.repair({ dryRun: true })).actions).toEqual([]);
  expect(await reader.repair()).toMatchObject({ actions: [], quarantined: [] });
  expect((await hintsIn(directory)).filter((name) => name.includes("quarantine"))).toEqual([]);
  await reader.close();
});

it("goes by hints that came with each new segment of a writer", async () => {
  const disk = new FaultyFileSystem();
  const writer = new DiskStore("/s", { ...options, fs: disk.process(), segmentBytes: 4096 });
  const reader = new DiskStore("/s", { ...options, fs: disk.process() });
  await writer.acquire("a");
  for (let n = 1; n <= 30; n++) {
    await writer.commit([put("a", n, { n, text: "y".repeat(500) })]);
    if (n % 7 === 0) expect(await reader.list("a")).toHaveLength(n);
  }
  expect(await findingsOf(reader)).toEqual([]);
  await writer.close();
  expect(await findingsOf(reader)).toEqual([]);
  for (let n = 1; n <= 30; n++) expect((await reader.load("a", `a:${n}`)).toValue()).toMatchObject({ n });
  expect((await reader.repair()).actions).toEqual([]);
  await reader.close();
});

it("finds nothing wrong with a hint that another process has rebuilt", async () => {
  const directory = await freshDirectory();
  const writer = new DiskStore(directory, options);
  await writer.acquire("a");
  await writer.commit([put("a", 1, { n: 1 })]);
  await writer.close();
  const [hint] = await hintsIn(directory);
  await nodeFileSystem.unlink(`${directory}/${hint}`);
  const reader = new DiskStore(directory, { ...options, fs: { ...nodeFileSystem } });
  expect(await reader.list("a")).toHaveLength(1);
  const repairer = new DiskStore(directory, { ...options, fs: { ...nodeFileSystem } });
  expect((await repairer.repair()).actions).toMatchObject([{ kind: "rebuild" }]);
  expect(await findingsOf(reader)).toEqual([]);
  await repairer.close();
  await reader.close();
});
