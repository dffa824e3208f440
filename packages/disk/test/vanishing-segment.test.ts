import { FaultyFileSystem } from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import type { FileSystem } from "@ckpt/io";
import { expect, it, vi } from "vitest";
import { boundTo } from "./support/bound-to.js";
import { put } from "./support/store.js";

const options = { reserveBytes: 0, autoCompact: false };

/** The same file system, where `before` runs ahead of the opening of each segment. */
function watched(fs: FileSystem, before: () => Promise<void>): FileSystem {
  return {
    ...boundTo(fs),
    open: async (path, how) => {
      if (path.endsWith(".seg")) await before();
      return fs.open(path, how);
    },
  };
}

it("reads on when compaction takes a segment away between listing and opening it", async () => {
  const disk = new FaultyFileSystem();
  const writer = new DiskStore("/store", { fs: disk.process(), ...options });
  await writer.acquire("a");
  for (let n = 1; n <= 5; n++) await writer.commit([put("a", n, { n })]);
  let armed = false;
  const compactOnce = async () => {
    if (!armed) return;
    armed = false;
    await writer.compact();
  };
  const reader = new DiskStore("/store", { fs: watched(disk.process(), compactOnce), ...options });
  expect(await reader.list("a")).toHaveLength(5);
  await writer.commit([put("a", 6, { n: 6 })]);
  armed = true;
  expect((await reader.load("a", "a:2")).toValue()).toEqual({ n: 2 });
  expect(armed).toBe(false);
  expect(await reader.list("a")).toHaveLength(6);
  expect(reader.takeFindings()).toEqual([]);
  await writer.close();
  await reader.close();
});

it("opens when compaction takes a dead writer's segment away while its recorded head is compared with it", async () => {
  const disk = new FaultyFileSystem();
  const process = disk.process();
  const dead = new DiskStore("/store", { fs: process, ...options });
  await dead.acquire("a");
  await dead.commit([put("a", 1, { n: 1 })]);
  await vi.waitUntil(async () => (await disk.readdir("/store/heads")).length > 0, { timeout: 5_000 });
  // The recorded head is behind the log's end now: it has to be looked for in the file.
  await dead.commit([put("a", 2, { n: 2 })]);
  process.killProcess();
  await dead.close().catch(() => undefined);
  const other = new DiskStore("/store", { fs: disk.process(), ...options });
  await other.acquire("b");
  let openings = 0;
  const compactBeforeTheSecond = async () => {
    if (++openings === 2) await other.compact();
  };
  const reader = new DiskStore("/store", { fs: watched(disk.process(), compactBeforeTheSecond), ...options });
  expect((await reader.list("a")).map(({ id }) => id)).toEqual(["a:1", "a:2"]);
  expect(openings).toBeGreaterThan(1);
  expect(reader.takeFindings()).toEqual([]);
  await other.close();
  await reader.close();
});

it("reports no loss when compaction replaces a segment while verify compares recorded heads", async () => {
  const disk = new FaultyFileSystem();
  const writer = new DiskStore("/store", { fs: disk.process(), ...options });
  await writer.acquire("a");
  await writer.commit([put("a", 1, { n: 1 })]);
  await vi.waitUntil(async () => (await disk.readdir("/store/heads")).length > 0, { timeout: 5_000 });
  await writer.commit([put("a", 2, { n: 2 })]);
  let opened = Number.NEGATIVE_INFINITY;
  const compactOnce = async () => {
    // First the log's end is looked at, then what the recorded head says.
    if (++opened === 2) await writer.compact();
  };
  const reader = new DiskStore("/store", { fs: watched(disk.process(), compactOnce), ...options });
  expect(await reader.list("a")).toHaveLength(2);
  opened = 0;
  const findings = [];
  for await (const finding of reader.verify()) findings.push(finding);
  expect(opened).toBeGreaterThan(2);
  expect(findings).toEqual([]);
  await reader.close();
  await writer.close();
});
