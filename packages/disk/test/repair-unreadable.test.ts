import { readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { findingsOf, freshDirectory, saveAll } from "./support/store.js";

const options = { segmentBytes: 4096, autoCompact: false, reserveBytes: 0 };

/** A store with 40 checkpoints in several segments, and the paths of these. */
async function severalSegments() {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, options);
  await store.acquire("a");
  await saveAll(store, "a", 40, (n) => ({ text: `${"q".repeat(300)}${n}` }));
  const writers = path.join(directory, "writers");
  const [writer] = readdirSync(writers);
  const segments = readdirSync(path.join(writers, writer!)).filter((name) => name.endsWith(".seg"));
  return { directory, store, segments: segments.map((name) => path.join(writers, writer!, name)) };
}

function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes[1000]! ^= 1;
  writeFileSync(file, bytes);
}

it("writes down the loss of a segment of this process that was deleted, and salvages another one", async () => {
  const { store, segments } = await severalSegments();
  unlinkSync(segments[0]!);
  damage(segments[1]!);
  const kinds = [
    { kind: "record", place: segments[0] },
    { kind: "salvage", place: segments[1] },
  ];
  expect((await store.repair({ dryRun: true })).actions).toMatchObject(kinds);
  const report = await store.repair();
  expect(report.actions).toMatchObject(kinds);
  expect(report.quarantined).toHaveLength(1);
  expect(report.lostIds).toContain("a:1");
  store.takeFindings();
  expect(await findingsOf(store)).toEqual([]);
  expect((await store.load("a", "a:40")).toValue()).toEqual({ text: `${"q".repeat(300)}40` });
  await store.close();
});

it("leaves a segment alone that the device cannot read, says so, and salvages the others", async () => {
  const { directory, store, segments } = await severalSegments();
  await store.close();
  damage(segments[2]!);
  let fails = true;
  const open: typeof nodeFileSystem.open = async (file, how) => {
    const handle = await nodeFileSystem.open(file, how);
    const read = handle.read.bind(handle);
    if (file === segments[1])
      handle.read = async (buffer, offset, length, position) => {
        // One sector in the middle; what the hint is compared with can be read.
        if (fails && position < 1536 && position + length > 1024)
          throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
        return read(buffer, offset, length, position);
      };
    return handle;
  };
  const again = new DiskStore(directory, { ...options, fs: { ...nodeFileSystem, open } });
  const kinds = [
    { kind: "salvage", place: segments[2] },
    { kind: "leave", place: segments[1] },
  ];
  expect((await again.repair({ dryRun: true })).actions).toMatchObject(kinds);
  const report = await again.repair();
  expect(report.actions).toMatchObject(kinds);
  expect(report.quarantined).toHaveLength(1);
  expect(again.takeFindings().map(({ kind, place }) => [kind, place])).toContainEqual([
    "damaged",
    segments[1],
  ]);
  fails = false;
  // Nothing of it was given up: the disk is well again, and so is all that it holds.
  expect(report.lostIds.length).toBeGreaterThan(0);
  for (let n = 1; n <= 40; n++)
    if (!report.lostIds.includes(`a:${n}`))
      expect((await again.load("a", `a:${n}`)).toValue()).toEqual({ text: `${"q".repeat(300)}${n}` });
  await again.close();
});
