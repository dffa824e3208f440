import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { codeOf, findingsOf, freshDirectory, saveAll } from "./support/store.js";

const options = { autoCompact: false, reserveBytes: 0 };
const apart = (directory: string) => new DiskStore(directory, { ...options, fs: { ...nodeFileSystem } });

/** A process that saves three checkpoints of the agent, and ends. Resolves to its writer's directory. */
async function life(directory: string, agentId: string): Promise<string> {
  const writers = path.join(directory, "writers");
  const before = existsSync(writers) ? readdirSync(writers) : [];
  const store = apart(directory);
  await store.acquire(agentId);
  await saveAll(store, agentId, 3, (n) => ({ n }));
  await store.close();
  return path.join(writers, readdirSync(writers).find((id) => !before.includes(id))!);
}

describe("compaction, in a dead writer's directory", () => {
  it("leaves files that are not the store's, and the directory for them", async () => {
    const directory = await freshDirectory();
    const writer = await life(directory, "a");
    copyFileSync(path.join(writer, "00000001.seg"), path.join(writer, "00000001.seg.bak"));
    writeFileSync(path.join(writer, "NOTES.txt"), "mine");
    const store = apart(directory);
    for (let i = 0; i < 2; i++) {
      await store.compact();
      const names = readdirSync(writer);
      expect(names).toEqual(expect.arrayContaining(["00000001.seg.bak", "NOTES.txt"]));
      expect(names.filter((name) => /\.(seg|hint)$|^reserve$/.test(name))).toEqual([]);
    }
    expect((await store.load("a", "a:3")).toValue()).toEqual({ n: 3 });
    expect(await findingsOf(store)).toEqual([]);
    await store.close();
    const later = apart(directory);
    expect(await later.list("a")).toHaveLength(3);
    expect(await findingsOf(later)).toEqual([]);
    await later.close();
  });

  it("goes on, and can be repaired, where a directory is among the files", async () => {
    const directory = await freshDirectory();
    const writer = await life(directory, "a");
    mkdirSync(path.join(writer, "backup"));
    mkdirSync(path.join(writer, "reserve"));
    const store = apart(directory);
    for (let i = 0; i < 2; i++) await store.compact();
    expect((await store.repair()).actions).toEqual([]);
    expect(readdirSync(writer)).toEqual(expect.arrayContaining(["backup", "reserve"]));
    expect((await store.load("a", "a:3")).toValue()).toEqual({ n: 3 });
    await store.close();
  });

  it("folds on, however many such directories there are", async () => {
    const directory = await freshDirectory();
    for (let i = 0; i < 17; i++) mkdirSync(path.join(await life(directory, `a${i}`), "mine"));
    const store = apart(directory);
    await store.compact();
    await store.close();
    const [third, fourth] = [await life(directory, "x"), await life(directory, "y")];
    const last = apart(directory);
    await last.acquire("z");
    await last.compact({ maxBytes: 1e9 });
    expect([third, fourth].filter(existsSync)).toEqual([]);
    await last.close();
  });
});

const plant = {
  "symbolic link": (file: string, aside: string) => symlinkSync(aside, file),
  directory: (file: string) => mkdirSync(file),
  pipe: (file: string) => execFileSync("mkfifo", [file]),
};
const kinds = Object.keys(plant) as (keyof typeof plant)[];
const isPosix = process.platform !== "win32";

describe.runIf(isPosix)("something else in the place of", () => {
  it.each(kinds)(
    "a segment is a finding, and keeps only those agents from being taken that it may hold: a %s",
    async (kind) => {
      const directory = await freshDirectory();
      const writer = await life(directory, "a");
      await life(directory, "b");
      const file = path.join(writer, "00000001.seg");
      renameSync(file, `${directory}.aside`);
      plant[kind](file, `${directory}.aside`);
      const store = apart(directory);
      expect(await store.list("a")).toEqual([]);
      expect(await store.list("b")).toHaveLength(3);
      for (let i = 0; i < 2; i++) {
        const findings = (await findingsOf(store)).filter(({ place }) => place === file);
        expect(findings[0]).toMatchObject({ kind: "damaged" });
        expect(findings.flatMap(({ affectedIds }) => affectedIds)).toEqual(
          expect.arrayContaining(["a:1", "a:2", "a:3"]),
        );
      }
      expect(await codeOf(store.acquire("a"))).toBe("CKPT_UNSAFE_PATH");
      expect(await codeOf(store.acquire("b"))).toBe("none");
      await store.compact();
      expect((await store.load("b", "b:3")).toValue()).toEqual({ n: 3 });
      const { quarantined } = await store.repair();
      expect(quarantined).toHaveLength(1);
      store.takeFindings();
      expect(await codeOf(store.acquire("a"))).toBe("none");
      expect((await store.agent("a"))?.lastSequence).toBe(3);
      expect(await findingsOf(store)).toEqual([]);
      await store.close();
    },
  );

  it.each(kinds)("a segment without a hint keeps every agent from being taken: a %s", async (kind) => {
    const directory = await freshDirectory();
    const writer = await life(directory, "a");
    const file = path.join(writer, "00000001.seg");
    renameSync(file, `${directory}.aside`);
    renameSync(path.join(writer, "00000001.hint"), `${directory}.hint`);
    plant[kind](file, `${directory}.aside`);
    const store = apart(directory);
    expect(await codeOf(store.acquire("b"))).toBe("CKPT_UNSAFE_PATH");
    await store.close();
  });

  it.each(kinds)("FORMAT is refused by name: a %s", async (kind) => {
    const directory = await freshDirectory();
    await life(directory, "a");
    const file = path.join(directory, "FORMAT");
    renameSync(file, `${directory}.aside`);
    plant[kind](file, `${directory}.aside`);
    const store = apart(directory);
    expect(await codeOf(store.list("a"))).toBe("CKPT_UNSAFE_PATH");
    expect(await codeOf(store.acquire("a"))).toBe("CKPT_UNSAFE_PATH");
    expect(await codeOf(findingsOf(store))).toBe("CKPT_UNSAFE_PATH");
    expect(await codeOf(store.repair())).toBe("CKPT_UNSAFE_PATH");
    await store.close();
  });

  it.each(kinds)("heads is a finding, and repair writes them anew: a %s", async (kind) => {
    const directory = await freshDirectory();
    const writer = await life(directory, "a");
    const file = path.join(directory, "heads", `${path.basename(writer)}.json`);
    renameSync(file, `${directory}.aside`);
    plant[kind](file, `${directory}.aside`);
    const store = apart(directory);
    await store.acquire("a");
    expect(await store.list("a")).toHaveLength(3);
    store.takeFindings();
    expect(await findingsOf(store)).toMatchObject([{ kind: "damaged", place: file }]);
    expect((await store.repair()).quarantined).toHaveLength(1);
    expect(await findingsOf(store)).toEqual([]);
    await store.close();
  });

  it.each(kinds)("an agent's lock keeps that agent from being taken: a %s", async (kind) => {
    const directory = await freshDirectory();
    await life(directory, "a");
    const file = path.join(directory, "agents", "a.a", "lock");
    renameSync(file, `${directory}.aside`);
    plant[kind](file, `${directory}.aside`);
    const store = apart(directory);
    expect(await codeOf(store.acquire("a"))).toBe("CKPT_UNSAFE_PATH");
    expect(await codeOf(store.acquire("b"))).toBe("none");
    await store.close();
  });

  it.each(kinds)("a writer's lease is a finding, and its segments are read: a %s", async (kind) => {
    const directory = await freshDirectory();
    const writer = await life(directory, "a");
    const file = path.join(writer, "1.lease");
    renameSync(file, `${directory}.aside`);
    renameSync(path.join(writer, "1.released"), `${directory}.released`);
    plant[kind](file, `${directory}.aside`);
    const store = apart(directory);
    expect(await store.list("a")).toHaveLength(3);
    store.takeFindings();
    expect(await findingsOf(store)).toMatchObject([{ kind: "damaged", place: writer }]);
    await store.compact();
    await store.repair();
    expect(await store.list("a")).toHaveLength(3);
    await store.close();
  });
});
