import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { codeOf, findingsOf, freshDirectory, put, saveAll } from "./support/store.js";

const apart = (directory: string) =>
  new DiskStore(directory, { fs: { ...nodeFileSystem }, autoCompact: false, reserveBytes: 0 });

/** A store with a:1 to a:3 of a process that has ended; its writer's directory. */
async function ended(): Promise<{ directory: string; writer: string }> {
  const directory = await freshDirectory();
  const store = apart(directory);
  await store.acquire("a");
  await saveAll(store, "a", 3, (n) => ({ n }));
  await store.close();
  const [id] = readdirSync(path.join(directory, "writers"));
  return { directory, writer: path.join(directory, "writers", id!) };
}

async function verified(store: DiskStore) {
  const findings = [];
  for await (const { kind, affectedIds } of store.verify()) findings.push([kind, ...affectedIds]);
  return findings;
}

const LOST = [["missing", "a:1", "a:2", "a:3"]];

describe("a writer's directory that was deleted whole", () => {
  it("is named by verify however often it was looked at before", async () => {
    const { directory, writer } = await ended();
    await rm(writer, { recursive: true });
    const store = apart(directory);
    expect(await store.list("a")).toEqual([]);
    expect(store.takeFindings()).toMatchObject([{ kind: "missing" }]);
    for (let i = 0; i < 3; i++) expect(await verified(store)).toEqual(LOST);
    expect((await store.repair({ dryRun: true })).actions).toHaveLength(1);
    await store.close();
  });

  it("is noticed by the next look of a process that has read it", async () => {
    const { directory, writer } = await ended();
    const store = apart(directory);
    expect(await store.list("a")).toHaveLength(3);
    await rm(writer, { recursive: true });
    expect(await store.list("a")).toEqual([]);
    expect(store.takeFindings().map(({ kind, affectedIds }) => [kind, ...affectedIds])).toEqual(LOST);
    expect(await verified(store)).toEqual(LOST);
    await store.close();
  });

  it("is read again once it is brought back", async () => {
    const { directory, writer } = await ended();
    await rename(writer, `${directory}.aside`);
    const store = apart(directory);
    expect(await store.list("a")).toEqual([]);
    await rename(`${directory}.aside`, writer);
    expect((await store.load("a", "a:3")).toValue()).toEqual({ n: 3 });
    expect(await verified(store)).toEqual([]);
    await store.close();
  });

  it("leaves its sequences used, also once repair has written the loss down and for processes after that", async () => {
    const { directory, writer } = await ended();
    await rm(writer, { recursive: true });
    const store = apart(directory);
    await store.list("a");
    await store.acquire("a");
    expect(await store.agent("a")).toMatchObject({ count: 0, lastSequence: 3, headId: null });
    expect(await codeOf(store.commit([put("a", 1, { other: 1 })]))).toBe("CKPT_CONFLICT");
    const { actions } = await store.repair();
    expect(actions).toMatchObject([{ kind: "rebuild", place: expect.stringContaining("heads") }]);
    await store.close();
    const [note] = (await readdir(path.join(directory, "quarantine"))).filter((n) => n.endsWith(".json"));
    expect(
      JSON.parse(readFileSync(path.join(directory, "quarantine", note!), "utf8").split("\n")[0]!),
    ).toMatchObject({
      lostIds: ["a:1", "a:2", "a:3"],
    });
    for (let life = 0; life < 2; life++) {
      const later = apart(directory);
      expect(await findingsOf(later)).toEqual([]);
      expect((await later.repair()).actions).toEqual([]);
      expect(await later.agent("a")).toMatchObject({ count: 0, lastSequence: 3 });
      await later.acquire("a");
      expect(await codeOf(later.commit([put("a", 3, { other: 1 })]))).toBe("CKPT_CONFLICT");
      await later.compact();
      await later.close();
    }
  });

  it("leaves the sequences used that were cut off a segment which repair and compaction have replaced since", async () => {
    const { directory, writer } = await ended();
    const file = path.join(writer, "00000001.seg");
    const bytes = readFileSync(file);
    const second = apart(directory);
    await second.acquire("b");
    await second.close();
    await rm(path.join(writer, "00000001.hint"));
    // Down to the first record behind the header.
    const at = 40 + bytes.readUInt32LE(4);
    await writeFile(file, bytes.subarray(0, at + 40 + bytes.readUInt32LE(at + 4)));
    const store = apart(directory);
    await store.repair();
    await store.compact();
    expect(readdirSync(path.join(directory, "writers"))).not.toContain(path.basename(writer));
    await store.close();
    const later = apart(directory);
    await later.acquire("a");
    expect((await later.list("a")).map(({ id }) => id)).toEqual(["a:1"]);
    expect((await later.agent("a"))?.lastSequence).toBe(3);
    await later.close();
  });
});

describe("something else in the place of a writer's directory", () => {
  it.each(["symlink", "file"])("is named by verify and left alone by repair: a %s", async (kind) => {
    const { directory, writer } = await ended();
    const aside = `${directory}.aside`;
    const reader = apart(directory);
    expect(await reader.list("a")).toHaveLength(3);
    await rename(writer, aside);
    await (kind === "symlink" ? symlink(aside, writer) : writeFile(writer, ""));
    for (const store of [reader, apart(directory)]) {
      await store.list("a");
      store.takeFindings();
      const found = [["orphaned"], ...LOST];
      expect(await verified(store)).toEqual(found);
      expect(await verified(store)).toEqual(found);
      const { actions } = await store.repair();
      expect(actions).toMatchObject([{ kind: "leave", place: writer }]);
      expect(await verified(store)).toEqual(found);
      await store.close();
    }
    await rm(writer);
    await rename(aside, writer);
    const whole = apart(directory);
    expect(await whole.list("a")).toHaveLength(3);
    await whole.close();
  });

  it("is not followed by compaction, and does not keep it from the rest", async () => {
    const { directory, writer } = await ended();
    await rename(writer, `${directory}.aside`);
    await mkdir(path.dirname(writer), { recursive: true });
    await symlink(`${directory}.aside`, writer);
    const before = readdirSync(`${directory}.aside`);
    const store = apart(directory);
    await store.acquire("b");
    await saveAll(store, "b", 2, (n) => ({ n }));
    await store.compact();
    expect(await store.list("b")).toHaveLength(2);
    await store.close();
    expect(readdirSync(`${directory}.aside`)).toEqual(before);
  });
});
