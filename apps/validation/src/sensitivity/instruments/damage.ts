/** Damages every file of a small store in many ways, and holds what comes back against what was put. */
import { dirname } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { snapshot } from "@ckpt/core";
import { seeded } from "../../process/random.js";
import { type Bench, type Instrument, type Opened, put, remove, type Verdict } from "../bench.js";
import { filesBelow, readFile, writeFile } from "./disk-files.js";

interface Known {
  readonly agentId: string;
  readonly stateHash: string;
}

type Files = ReadonlyMap<string, Buffer>;

/** Two lives of two agents, one compaction in between, everything closed: all of it is below recorded heads. */
async function history(bench: Bench) {
  const disk = new FaultyFileSystem();
  let older: Files | undefined;
  /** Every checkpoint that ever was: where the record of a removal is damaged, its target is back, which is no wrong state. */
  const ever = new Map<string, string>();
  for (let life = 0; life < 3; life++) {
    const store = await bench.open(disk.process());
    for (const agentId of ["a", "b"]) {
      const lease = await store.acquire(agentId);
      for (let n = 1; n <= 9; n++) await store.commit([put(agentId, life * 9 + n)]);
      for (const header of await store.list(agentId)) ever.set(header.id, JSON.stringify(header));
      await store.commit([remove(agentId, `${agentId}:${life * 9 + 3}`)]);
      await lease.release();
    }
    if (life === 1) await store.compact();
    if (life === 2) older = await filesBelow(disk, "/store");
    if (life === 2) {
      await store.acquire("a");
      for (let n = 28; n <= 34; n++) await store.commit([put("a", n)]);
      for (const header of await store.list("a")) ever.set(header.id, JSON.stringify(header));
    }
    await store.close();
  }
  return { image: disk.image(), older: older as Files, ever };
}

async function knownIn(store: Opened): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  for (const agentId of await store.agents())
    for (const header of await store.list(agentId))
      known.set(header.id, { agentId, stateHash: header.stateHash });
  return known;
}

async function examine(
  store: Opened,
  known: ReadonlyMap<string, Known>,
  ever: ReadonlyMap<string, string>,
): Promise<Verdict> {
  const lost: string[] = [];
  for (const agentId of await store.agents())
    for (const header of await store.list(agentId))
      if (ever.get(header.id) !== JSON.stringify(header)) return `${header.id} is another checkpoint`;
  for (const [id, { agentId, stateHash }] of known) {
    const state = await store.load(agentId, id).catch(() => undefined);
    if (state === undefined) lost.push(id);
    else if (snapshot(state.toValue()).hash !== stateHash) return `${id} came back with another state`;
  }
  const named = new Set<string>();
  const findings = [...store.takeFindings()];
  for await (const finding of store.verify()) findings.push(finding);
  for (const { affectedIds } of findings) for (const id of affectedIds) named.add(id);
  const silent = lost.filter((id) => !named.has(id));
  return silent.length > 0 ? `${silent.join(", ")} lost without a word` : undefined;
}

/** Damage to a hint that only its checksum can tell: its directory, which unpacks and parses as well as before, names another agent. */
function renamed(hint: Buffer): Buffer {
  const footer = hint.length - 16;
  const start = footer - hint.readUInt32LE(footer);
  const json = inflateRawSync(hint.subarray(start, footer)).toString();
  const directory = deflateRawSync(json.replace('[["a"', '[["c"'));
  const end = Buffer.from(hint.subarray(footer));
  end.writeUInt32LE(directory.length, 0);
  return Buffer.concat([hint.subarray(0, start), directory, end]);
}

/** Ways to damage one file: what is written in its place; undefined deletes it. */
function* damages(name: string, bytes: Buffer, older: Files, random: () => number) {
  const flips = name.endsWith(".seg") ? 40 : Math.min(bytes.length, 120);
  for (let i = 0; i < flips; i++) {
    const at = flips === bytes.length ? i : Math.floor(random() * bytes.length);
    const flipped = Buffer.from(bytes);
    flipped[at] = flipped[at]! ^ (1 << Math.floor(random() * 8));
    yield { what: `a bit of byte ${at} of ${name} flipped`, bytes: flipped };
  }
  for (let i = 0; i < 4; i++) {
    const length = Math.floor(random() * bytes.length);
    yield { what: `${name} cut to ${length} of ${bytes.length}`, bytes: bytes.subarray(0, length) };
  }
  if (name.endsWith(".hint"))
    yield { what: `the directory of ${name} with another agent`, bytes: renamed(bytes) };
  if (older.has(name) && !older.get(name)!.equals(bytes))
    yield { what: `${name} rolled back`, bytes: older.get(name)! };
  yield { what: `${name} deleted`, bytes: undefined };
}

/** Damages each file by itself; with `hints` false the segments have to be read frame by frame. */
const damageOf =
  (pattern: RegExp, hints: boolean): Instrument =>
  async (bench) => {
    const { image, older, ever } = await history(bench);
    const start = async () => {
      const disk = new FaultyFileSystem({ image });
      if (!hints)
        for (const name of (await filesBelow(disk, "/store")).keys())
          if (name.endsWith(".hint")) await disk.unlink(name);
      return disk;
    };
    const known = await knownIn(await bench.open(await start()));
    const random = seeded(7);
    for (const [name, bytes] of await filesBelow(await start(), "/store")) {
      if (!pattern.test(name)) continue;
      for (const damage of damages(name, bytes, older, random)) {
        const disk = await start();
        if (damage.bytes === undefined) await disk.unlink(name);
        else await writeFile(disk, name, damage.bytes);
        const store = await bench.open(disk);
        const verdict = await examine(store, known, ever).catch(
          (error: unknown) => `opening threw ${String(error)}`,
        );
        if (verdict !== undefined) return `${damage.what}: ${verdict}`;
        await store.close();
      }
    }
    return undefined;
  };

export const damagedSegments = damageOf(/\.seg$/, true);
export const damagedUnhinted = damageOf(/\.seg$/, false);
export const damagedOthers = damageOf(/\.(hint|json)$|FORMAT$/, true);

/** A segment of another store, put among ours, says nothing about our agents. */
export const foreign: Instrument = async (bench) => {
  const { image, ever } = await history(bench);
  const known = await knownIn(await bench.open(new FaultyFileSystem({ image })));
  const elsewhere = new FaultyFileSystem();
  const other = await bench.open(elsewhere);
  await other.acquire("a");
  for (let n = 1; n <= 4; n++) await other.commit([put("a", n, 500 + n)]);
  await other.close();
  const disk = new FaultyFileSystem({ image });
  for (const [path, bytes] of await filesBelow(elsewhere, "/store/writers")) {
    await disk.mkdir(dirname(path), 0o700).catch(() => undefined);
    await writeFile(disk, path, bytes);
  }
  return examine(await bench.open(disk), known, ever);
};

/** Whether a note says what was lost. */
function isNote(bytes: Buffer | undefined): boolean {
  try {
    return Array.isArray(JSON.parse(bytes?.toString().split("\n")[0] ?? "").lostIds);
  } catch {
    return false;
  }
}

/** Repair keeps damaged bytes, also through a power cut right after it. */
export const repair: Instrument = async (bench) => {
  const { image } = await history(bench);
  const files = await filesBelow(new FaultyFileSystem({ image }), "/store");
  for (const [name, bytes] of files) {
    if (!name.endsWith(".seg")) continue;
    const disk = new FaultyFileSystem({ image });
    const damaged = Buffer.from(bytes);
    const at = Math.floor(bytes.length / 2);
    damaged[at] = damaged[at]! ^ 1;
    await writeFile(disk, name, damaged);
    const known = await knownIn(await bench.open(new FaultyFileSystem({ image })));
    const store = await bench.open(disk);
    const { lostIds } = await store.repair();
    const after = disk.powerCut({ mode: "strict" });
    const kept = [...(await filesBelow(after, "/store"))];
    if (!kept.some(([path, there]) => path.includes("/quarantine/") && there.equals(damaged)))
      return `the damaged bytes of ${name} are not in quarantine`;
    for (const [path] of kept.filter(([path]) => /\/quarantine\/[^.].*\.seg$/.test(path)))
      if (!isNote(await readFile(after, `${path}.json`))) return `${path} has no note`;
    const repaired = await bench.open(after);
    for (const [id, { agentId, stateHash }] of known) {
      const state = await repaired.load(agentId, id).catch(() => undefined);
      if (state === undefined && !lostIds.includes(id)) return `${id} is gone, and repair did not say so`;
      if (state !== undefined && state.hash !== stateHash) return `${id} came back with another state`;
    }
    await repaired.close();
    await store.close();
  }
  return undefined;
};
