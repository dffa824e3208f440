import { cp, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { isCkptError } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { describe, expect, it } from "vitest";
import { filesOf, findingsOf, freshDirectory, put, saveAll } from "./support/store.js";

const agents = ["a", "b"];
const stateOf = (agentId: string, i: number) => ({
  agentId,
  i,
  log: Array.from({ length: i }, (_, k) => `line ${k}`),
});

async function build(): Promise<string> {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { segmentBytes: 8192, maxChainDeltas: 5 });
  for (const agentId of agents) await store.acquire(agentId);
  await Promise.all(agents.map((agentId) => saveAll(store, agentId, 24, (i) => stateOf(agentId, i))));
  await store.close();
  return directory;
}

/**
 * Opens a damaged copy and holds it against what was saved: nothing wrong is returned, and everything that does not come back is named
 * by verify. Resolves to what was lost.
 */
async function examine(directory: string, what: string): Promise<string[]> {
  const store = new DiskStore(directory);
  const lost: string[] = [];
  for (const agentId of agents) {
    for (let i = 1; i <= 24; i++) {
      const id = `${agentId}:${i}`;
      try {
        expect([what, (await store.load(agentId, id)).toValue()]).toEqual([what, stateOf(agentId, i)]);
      } catch (error) {
        if (!isCkptError(error)) throw error;
        expect([what, id, error.code]).toEqual([
          what,
          id,
          expect.stringMatching(/^CKPT_(CORRUPT|NOT_FOUND)$/),
        ]);
        lost.push(id);
      }
    }
  }
  const named = new Set((await findingsOf(store)).flatMap(({ affectedIds }) => affectedIds));
  expect([what, lost.filter((id) => !named.has(id))]).toEqual([what, []]);
  await store.close();
  return lost;
}

describe("damage at rest", () => {
  it("in any byte of any segment costs no earlier checkpoint of the chain and no other agent, and is named", async () => {
    const directory = await build();
    let costly = 0;
    for (const [name, size] of await filesOf(directory)) {
      if (!name.endsWith(".seg")) continue;
      const file = path.join(directory, name);
      const bytes = await readFile(file);
      for (let at = 3; at < size; at += 397) {
        const bad = Buffer.from(bytes);
        bad[at]! ^= 1 << (at % 8);
        await writeFile(file, bad);
        const lost = await examine(directory, `${name} at ${at}`);
        if (lost.length > 0) costly++;
        // Chains are at most six long, and each record holds one agent's checkpoint.
        expect(new Set(lost.map((id) => id[0])).size).toBeLessThanOrEqual(1);
        expect(lost.length).toBeLessThanOrEqual(6);
      }
      await writeFile(file, bytes);
    }
    expect(costly).toBeGreaterThan(20);
    expect(await examine(directory, "undamaged")).toEqual([]);
  });

  it("without hints is noticed all the same, down to the numbers that are missing", async () => {
    const directory = await build();
    const files = [...(await filesOf(directory)).keys()];
    for (const name of files.filter((name) => name.endsWith(".hint"))) await rm(path.join(directory, name));
    const file = path.join(directory, files.find((name) => name.endsWith(".seg"))!);
    const bytes = await readFile(file);
    for (let at = 3; at < bytes.length; at += 797) {
      const bad = Buffer.from(bytes);
      bad[at]! ^= 1 << (at % 8);
      await writeFile(file, bad);
      await examine(directory, `at ${at}`);
    }
  });

  it("by cutting a segment short is noticed up to the recorded head", async () => {
    const directory = await build();
    for (const [name, size] of await filesOf(directory)) {
      if (!name.endsWith(".seg")) continue;
      const file = path.join(directory, name);
      const bytes = await readFile(file);
      for (const length of [0, 20, Math.floor(size / 2), size - 1]) {
        await truncate(file, length);
        const lost = await examine(directory, `${name} cut to ${length}`);
        expect(lost.length).toBeGreaterThan(0);
        await writeFile(file, bytes);
      }
    }
  });

  it("by deleting, rolling back, exchanging or duplicating segments is noticed", async () => {
    const directory = await build();
    const segments = [...(await filesOf(directory)).keys()].filter((name) => name.endsWith(".seg"));
    const [first, second] = segments.map((name) => path.join(directory, name)) as [string, string];
    const copy = `${directory}-copy`;
    const fresh = async () => {
      await rm(copy, { recursive: true, force: true });
      await cp(directory, copy, { recursive: true });
      return (file: string) => path.join(copy, path.relative(directory, file));
    };
    const check = async (what: string) => {
      const store = new DiskStore(copy);
      const findings = await findingsOf(store);
      await store.close();
      expect([what, findings.length > 0]).toEqual([what, true]);
      return examine(copy, what);
    };

    let at = await fresh();
    await rm(at(first));
    expect((await check("deleted")).length).toBeGreaterThan(0);

    at = await fresh();
    await rm(at(first));
    await rm(at(first).replace(/seg$/, "hint"));
    expect((await check("deleted with its hint")).length).toBeGreaterThan(0);

    at = await fresh();
    await rename(at(first), `${at(first)}.x`);
    await rename(at(second), at(first));
    await rename(`${at(first)}.x`, at(second));
    expect(await check("exchanged")).toEqual([]);

    at = await fresh();
    await cp(at(first), path.join(path.dirname(at(first)), "00000099.seg"));
    expect(await check("duplicated")).toEqual([]);

    at = await fresh();
    await cp(at(first), at(second));
    expect((await check("overwritten by an older one")).length).toBeGreaterThan(0);
    await rm(copy, { recursive: true, force: true });
  });

  it("to heads, manifests and FORMAT costs nothing but a finding, and repair writes them anew", async () => {
    const directory = await build();
    const first = new DiskStore(directory);
    await first.compact();
    await first.close();
    for (const [name] of await filesOf(directory)) {
      if (!/^(heads|manifests|FORMAT)/.test(name)) continue;
      const file = path.join(directory, name);
      const bytes = await readFile(file);
      const handle = await open(file, "r+");
      await handle.write(Buffer.from([bytes[5]! ^ 4]), 0, 1, 5);
      await handle.close();
      expect(await examine(directory, name)).toEqual([]);
      const store = new DiskStore(directory);
      expect((await findingsOf(store)).map(({ place }) => place)).toContain(file);
      const report = await store.repair();
      expect(report.quarantined.length).toBeGreaterThan(0);
      store.takeFindings(); // what reading met before the repair
      expect([name, await findingsOf(store)]).toEqual([name, []]);
      await store.close();
      expect(await examine(directory, `${name}, repaired`)).toEqual([]);
    }
  });
});

describe("repair", () => {
  it("shows its plan, keeps what can be read, moves the damaged segment aside and names what was lost", async () => {
    const directory = await build();
    const name = [...(await filesOf(directory)).keys()].find((file) => file.endsWith(".seg"))!;
    const file = path.join(directory, name);
    const bytes = await readFile(file);
    bytes[Math.floor(bytes.length / 2)]! ^= 8;
    await writeFile(file, bytes);
    const lost = await examine(directory, "before repair");
    expect(lost.length).toBeGreaterThan(0);
    const before = await filesOf(directory);

    const store = new DiskStore(directory);
    const plan = await store.repair({ dryRun: true });
    expect(plan.actions).toMatchObject([{ kind: "salvage", place: file }]);
    expect(await filesOf(directory)).toEqual(before);

    const report = await store.repair();
    expect([...report.lostIds].sort()).toEqual([...lost].sort());
    expect(report.quarantined).toHaveLength(1);
    expect((await readFile(report.quarantined[0]!)).equals(bytes)).toBe(true);
    const note = JSON.parse((await readFile(`${report.quarantined[0]}.json`, "utf8")).split("\n")[0]!);
    expect([...note.lostIds].sort()).toEqual([...lost].sort());
    expect(await findingsOf(store)).toEqual([]);
    for (const agentId of agents) {
      for (const { id, sequence } of await store.list(agentId)) {
        expect(lost).not.toContain(id);
        expect((await store.load(agentId, id)).toValue()).toEqual(stateOf(agentId, sequence));
      }
    }
    const count = (await store.list("a")).length + (await store.list("b")).length;
    expect(count).toBe(48 - lost.length);
    await store.close();
  });

  it("never gives a lost sequence out again", async () => {
    const directory = await build();
    const files = [...(await filesOf(directory)).keys()].filter((name) => /seg$|hint$/.test(name));
    for (const name of files) await rm(path.join(directory, name));
    const store = new DiskStore(directory);
    expect((await findingsOf(store)).flatMap(({ affectedIds }) => affectedIds)).toContain("a:24");
    await store.acquire("a");
    await expect(store.commit([put("a", 24, 1)])).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    await store.commit([put("a", 25, 1)]);
    await store.close();
  });
});
