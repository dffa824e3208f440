import { FaultPlan, FaultyFileSystem } from "@ckpt/conformance";
import type { FileSystem } from "@ckpt/io";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { propertyRuns } from "./property-runs.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function read(fs: FileSystem, path: string): Promise<string | undefined> {
  if ((await fs.stat(path)) === undefined) return undefined;
  const handle = await fs.open(path, { access: "read" });
  const buffer = new Uint8Array(100_000);
  const length = await handle.read(buffer, 0, buffer.length, 0);
  await handle.close();
  return new TextDecoder().decode(buffer.subarray(0, length));
}

async function create(fs: FileSystem, path: string, text: string, dsync = false) {
  const handle = await fs.open(path, { access: "readWrite", create: "exclusive", dsync });
  await handle.write([bytesOf(text)], 0);
  return handle;
}

const strict = { mode: "strict" } as const;

describe("a strict power cut", () => {
  it("loses data that were not synced, and keeps those that were", async () => {
    for (const sync of ["none", "sync", "datasync", "dsync"] as const) {
      const fs = new FaultyFileSystem();
      const handle = await create(fs, "/f", "data", sync === "dsync");
      await fs.syncDirectory("/");
      if (sync === "sync" || sync === "datasync") await handle[sync]();
      expect([sync, await read(fs.powerCut(strict), "/f")]).toEqual([sync, sync === "none" ? "" : "data"]);
    }
  });

  it("loses a name whose directory was not synced, although the file was", async () => {
    const fs = new FaultyFileSystem();
    await (await create(fs, "/f", "data")).sync();
    expect(await read(fs.powerCut(strict), "/f")).toBeUndefined();
    await fs.syncDirectory("/");
    expect(await read(fs.powerCut(strict), "/f")).toBe("data");
  });

  it("loses everything in a new directory whose own name was not synced", async () => {
    const fs = new FaultyFileSystem();
    await fs.mkdir("/d", 0o700);
    await (await create(fs, "/d/f", "data")).sync();
    await fs.syncDirectory("/d");
    expect(await fs.powerCut(strict).stat("/d")).toBeUndefined();
    await fs.syncDirectory("/");
    expect(await read(fs.powerCut(strict), "/d/f")).toBe("data");
  });

  it("brings back what was renamed, linked or removed without a sync of the directory", async () => {
    const fs = new FaultyFileSystem();
    await (await create(fs, "/old", "one")).sync();
    await (await create(fs, "/gone", "two")).sync();
    await fs.syncDirectory("/");
    await fs.rename("/old", "/new");
    await fs.link("/new", "/link");
    await fs.unlink("/gone");
    expect(await fs.powerCut(strict).readdir("/")).toEqual(["gone", "old"]);
    await fs.syncDirectory("/");
    expect(await fs.powerCut(strict).readdir("/")).toEqual(["link", "new"]);
  });

  it("makes a rename across directories durable as a whole with either of them", async () => {
    for (const synced of ["/a", "/b"]) {
      const fs = new FaultyFileSystem();
      for (const name of ["/a", "/b"]) await fs.mkdir(name, 0o700);
      await (await create(fs, "/a/f", "data")).sync();
      for (const path of ["/a", "/b", "/"]) await fs.syncDirectory(path);
      await fs.rename("/a/f", "/b/f");
      await fs.syncDirectory(synced);
      const after = fs.powerCut(strict);
      expect([await read(after, "/a/f"), await read(after, "/b/f")]).toEqual([undefined, "data"]);
    }
  });

  it("takes an O_DSYNC write's own bytes and no others", async () => {
    const fs = new FaultyFileSystem();
    const plain = await create(fs, "/f", "abcdefgh");
    await fs.syncDirectory("/");
    const dsync = await fs.open("/f", { access: "write", dsync: true });
    await dsync.write([bytesOf("XY")], 2);
    expect(await read(fs.powerCut(strict), "/f")).toBe("\0\0XY");
    await plain.sync();
    expect(await read(fs.powerCut(strict), "/f")).toBe("abXYefgh");
  });

  it("goes on from what survived, and leaves the disk before it as it was", async () => {
    const fs = new FaultyFileSystem();
    const handle = await create(fs, "/f", "data");
    const after = fs.powerCut(strict);
    await (await create(after, "/g", "new")).sync();
    await handle.sync();
    await fs.syncDirectory("/");
    expect(await fs.readdir("/")).toEqual(["f"]);
    expect(await after.readdir("/")).toEqual(["g"]);
  });
});

describe("what is synced", () => {
  it("survives any cut in any mode, however reads, writes and truncations were mixed before", async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("write" as const),
        at: fc.nat(9_000),
        length: fc.integer({ min: 1, max: 9_000 }),
      }),
      fc.record({ kind: fc.constant("truncate" as const), at: fc.nat(12_000), length: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.array(step, { maxLength: 6 }),
        fc.nat(),
        async (synced, rest, seed) => {
          const fs = new FaultyFileSystem();
          const handle = await fs.open("/f", { access: "readWrite", create: "exclusive" });
          const play = async (steps: typeof synced, fill: number) => {
            for (const { kind, at, length } of steps) {
              if (kind === "truncate") await handle.truncate(at);
              else await handle.write([new Uint8Array(length).fill(fill)], at);
            }
          };
          await play(synced, 65);
          await handle.datasync();
          await fs.syncDirectory("/");
          const expected = await read(fs, "/f");
          for (const mode of ["strict", "reordered", "torn"] as const) {
            expect(await read(fs.powerCut({ mode, seed }), "/f")).toBe(expected);
          }
          await play(rest, 66);
          expect(await read(fs.powerCut(strict), "/f")).toBe(expected);
          for (const mode of ["reordered", "torn"] as const) {
            const after = (await read(fs.powerCut({ mode, seed }), "/f")) ?? "";
            // Nothing appears that was never there: old bytes, new bytes, or zeros.
            expect(after).toMatch(/^[AB\0]*$/);
          }
        },
      ),
      propertyRuns(100),
    );
  });

  it("is an O_DSYNC write among unsynced ones: no cut brings older bytes back over it", async () => {
    const write = fc.record({ at: fc.nat(3_000), length: fc.integer({ min: 1, max: 3_000 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 8 }),
        write,
        fc.nat(5_000),
        fc.nat(),
        async (before, own, cut, seed) => {
          const fs = new FaultyFileSystem();
          const plain = await fs.open("/f", { access: "readWrite", create: "exclusive" });
          await fs.syncDirectory("/");
          for (const { at, length } of before) await plain.write([new Uint8Array(length).fill(65)], at);
          await plain.truncate(cut);
          const dsync = await fs.open("/f", { access: "write", dsync: true });
          await dsync.write([new Uint8Array(own.length).fill(67)], own.at);
          for (const mode of ["strict", "reordered", "torn"] as const) {
            const after = (await read(fs.powerCut({ mode, seed }), "/f")) ?? "";
            expect(after.slice(own.at, own.at + own.length)).toBe("C".repeat(own.length));
          }
        },
      ),
      propertyRuns(100),
    );
  });
});

describe("a reordered or torn cut", () => {
  async function outcomes(
    mode: "reordered" | "torn",
    prepare: (fs: FaultyFileSystem) => Promise<void>,
    look: (fs: FaultyFileSystem) => Promise<unknown>,
  ) {
    const fs = new FaultyFileSystem();
    await prepare(fs);
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) seen.add(JSON.stringify(await look(fs.powerCut({ mode, seed }))));
    return seen;
  }

  it("lets any part of unsynced entries survive when reordered, and a first part of them when torn", async () => {
    const prepare = async (fs: FaultyFileSystem) => {
      for (const name of ["/a", "/b"]) await (await create(fs, name, "")).sync();
    };
    const look = (fs: FaultyFileSystem) => fs.readdir("/");
    expect(await outcomes("reordered", prepare, look)).toEqual(
      new Set(["[]", '["a"]', '["b"]', '["a","b"]']),
    );
    expect(await outcomes("torn", prepare, look)).toEqual(new Set(["[]", '["a"]', '["a","b"]']));
  });

  it("mixes old and new sectors of a torn overwrite, never within a sector", async () => {
    const prepare = async (fs: FaultyFileSystem) => {
      const handle = await create(fs, "/f", "o".repeat(2_048));
      await handle.sync();
      await fs.syncDirectory("/");
      await handle.write([bytesOf("n".repeat(2_048))], 0);
    };
    const seen = await outcomes("torn", prepare, (fs) => read(fs, "/f"));
    expect(seen.size).toBe(16);
    for (const text of seen) {
      const sectors = JSON.parse(text).match(/.{512}/g) as string[];
      for (const sector of sectors) expect(sector).toMatch(/^(o*|n*)$/);
    }
  });

  it("can leave a file with its new size and without its new bytes", async () => {
    const prepare = async (fs: FaultyFileSystem) => {
      await create(fs, "/f", "n".repeat(512));
      await fs.syncDirectory("/");
    };
    const seen = await outcomes("torn", prepare, (fs) => read(fs, "/f"));
    expect(seen).toContain(JSON.stringify("\0".repeat(512)));
    expect(seen).toContain(JSON.stringify(""));
  });

  it("is the same for the same seed", async () => {
    const fs = new FaultyFileSystem();
    for (let i = 0; i < 20; i++) await create(fs, `/f${i}`, "x".repeat(9_000));
    for (const mode of ["reordered", "torn"] as const) {
      expect(fs.powerCut({ mode, seed: 7 }).hash()).toBe(fs.powerCut({ mode, seed: 7 }).hash());
      expect(fs.powerCut({ mode, seed: 7 }).hash()).not.toBe(fs.powerCut({ mode, seed: 8 }).hash());
    }
  });
});

describe("planned faults", () => {
  const errnoOf = (work: Promise<unknown>) =>
    work.then(
      () => "no error",
      (error: { code: string }) => error.code,
    );

  it("fail the n-th operation once or for ever, before or after doing it", async () => {
    const fs = new FaultyFileSystem({
      faults: new FaultPlan().failAt(2, { errno: "EIO", afterDoing: true }),
    });
    await fs.mkdir("/a", 0o700);
    expect(await errnoOf(fs.mkdir("/b", 0o700))).toBe("EIO");
    expect(await fs.readdir("/")).toEqual(["a", "b"]);
    fs.faults.failAt(4, { errno: "EROFS", mode: "forever", only: ["mkdir"] });
    expect(await errnoOf(fs.mkdir("/c", 0o700))).toBe("EROFS");
    expect(await errnoOf(fs.mkdir("/c", 0o700))).toBe("EROFS");
    expect(await fs.readdir("/")).toEqual(["a", "b"]);
    fs.faults.heal();
    expect(await errnoOf(fs.mkdir("/c", 0o700))).toBe("no error");
  });

  it("write short, at least one byte, and tell how much", async () => {
    const fs = new FaultyFileSystem({ faults: new FaultPlan().shortWrites({ seed: 1, probability: 1 }) });
    const handle = await fs.open("/f", { access: "write", create: "ifMissing" });
    const taken = await handle.write([bytesOf("abc"), bytesOf("defgh")], 0);
    expect(taken).toBeGreaterThanOrEqual(1);
    expect(taken).toBeLessThan(8);
    expect(await read(fs, "/f")).toBe("abcdefgh".slice(0, taken));
  });

  it("lose data behind a sync that failed and marked its pages clean, even when later syncs succeed", async () => {
    for (const marksClean of [true, false]) {
      const fs = new FaultyFileSystem({ faults: new FaultPlan().failSync({ at: 2, marksClean }) });
      const handle = await create(fs, "/f", "lost");
      await fs.syncDirectory("/");
      expect(await errnoOf(handle.sync())).toBe("EIO");
      expect(await errnoOf(handle.sync())).toBe("no error");
      expect(await read(fs, "/f")).toBe("lost");
      expect(await read(fs.powerCut(strict), "/f")).toBe(marksClean ? "" : "lost");
    }
  });

  it("count O_DSYNC writes and directory syncs among the syncs", async () => {
    const fs = new FaultyFileSystem();
    const handle = await create(fs, "/f", "x", true);
    await handle.datasync();
    await fs.syncDirectory("/");
    expect(fs.faults.syncs).toBe(3);
    fs.faults.failSync({ at: 4, marksClean: true });
    expect(await errnoOf(handle.write([bytesOf("yy")], 0))).toBe("EIO");
    expect(await read(fs, "/f")).toBe("yy");
    expect(await read(fs.powerCut(strict), "/f")).toBe("x");
  });

  it("stop everything after the operation at which the power is cut", async () => {
    const fs = new FaultyFileSystem({ faults: new FaultPlan().cutAfter(1) });
    await fs.mkdir("/a", 0o700);
    expect(await errnoOf(fs.mkdir("/b", 0o700))).toBe("CKPT_POWER_CUT");
    expect(fs.faults.operations).toBe(1);
    expect(await fs.powerCut({ mode: "torn", seed: 3 }).stat("/b")).toBeUndefined();
  });

  it("run out of space and of nodes, with short writes first, and come back when files are removed", async () => {
    const fs = new FaultyFileSystem({ limits: { maxBytes: 10, maxNodes: 2 } });
    const handle = await fs.open("/f", { access: "readWrite", create: "ifMissing" });
    expect(await handle.write([bytesOf("12345678")], 0)).toBe(8);
    expect(await handle.write([bytesOf("abcd")], 8)).toBe(2);
    expect(await errnoOf(handle.write([bytesOf("x")], 10))).toBe("ENOSPC");
    expect(await fs.freeBytes("/")).toBe(0);
    expect(await errnoOf(fs.mkdir("/d", 0o700))).toBe("ENOSPC");
    await fs.unlink("/f");
    expect(fs.usedBytes).toBe(10);
    await handle.close();
    expect(fs.usedBytes).toBe(0);
    expect(await errnoOf(fs.mkdir("/d", 0o700))).toBe("no error");
  });
});

describe("processes on one disk", () => {
  it("see each other's writes, and free their locks and nothing else when killed", async () => {
    const first = new FaultyFileSystem();
    const second = first.process();
    const mine = await create(first, "/lock", "holder");
    const theirs = await second.open("/lock", { access: "readWrite" });
    expect(await mine.tryLock()).toBe("taken");
    expect(await theirs.tryLock()).toBe("busy");
    expect(await read(second, "/lock")).toBe("holder");
    first.killProcess();
    expect(await theirs.tryLock()).toBe("taken");
    expect(await read(second, "/lock")).toBe("holder");
    await expect(mine.write([bytesOf("x")], 0)).rejects.toMatchObject({ code: "CKPT_PROCESS_KILLED" });
    await expect(first.stat("/lock")).rejects.toMatchObject({ code: "CKPT_PROCESS_KILLED" });
  });

  it("hold locks per handle, within one process too", async () => {
    const fs = new FaultyFileSystem();
    const one = await create(fs, "/lock", "");
    const two = await fs.open("/lock", { access: "write" });
    expect([await one.tryLock(), await one.tryLock(), await two.tryLock()]).toEqual([
      "taken",
      "taken",
      "busy",
    ]);
    await one.close();
    expect(await two.tryLock()).toBe("taken");
  });

  it("have no locks where the machine has none", async () => {
    const fs = new FaultyFileSystem({ locks: false });
    expect(await (await create(fs, "/lock", "")).tryLock()).toBe("unsupported");
  });
});
