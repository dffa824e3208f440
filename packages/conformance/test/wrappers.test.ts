import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultPlan, FaultyFileSystem, slowSync, withFaults, withoutSafeguard } from "@ckpt/conformance";
import { type FileSystem, nodeFileSystem } from "@ckpt/io";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ckpt-wrappers-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: { code: string }) => error.code,
  );
const bytes = (text: string) => new TextEncoder().encode(text);

describe("withFaults on real files", () => {
  const open = (fs: FileSystem, name: string, dsync = false) =>
    fs.open(join(directory, name), { access: "readWrite", create: "ifMissing", dsync });

  it("fails the operation that the plan names, before or after doing it", async () => {
    const plan = new FaultPlan().failAt(2, { errno: "EIO", afterDoing: true });
    const fs = withFaults(nodeFileSystem, plan);
    const path = join(directory, "d");
    await fs.mkdir(path, 0o700);
    expect(await codeOf(fs.rmdir(path))).toBe("EIO");
    expect(await fs.stat(path)).toBeUndefined();
    plan.failAt(4, { errno: "ENOSPC" });
    expect(await codeOf(fs.mkdir(path, 0o700))).toBe("ENOSPC");
    expect(await nodeFileSystem.stat(path)).toBeUndefined();
  });

  it("writes short, and tells how much", async () => {
    const fs = withFaults(nodeFileSystem, new FaultPlan().shortWrites({ seed: 3, probability: 1 }));
    const handle = await open(fs, "f");
    const taken = await handle.write([bytes("abc"), bytes("def")], 0);
    expect(taken).toBeLessThan(6);
    expect((await handle.stat()).size).toBe(taken);
    await handle.close();
  });

  it("counts O_DSYNC writes among the syncs", async () => {
    const plan = new FaultPlan().failSync({ at: 2 });
    const fs = withFaults(nodeFileSystem, plan);
    const handle = await open(fs, "f", true);
    await handle.write([bytes("a")], 0);
    expect(await codeOf(handle.write([bytes("b")], 1))).toBe("EIO");
    expect((await handle.stat()).size).toBe(1);
    await handle.close();
  });

  it("closes files although it reports that closing failed, and those that it does not hand over", async () => {
    const plan = new FaultPlan();
    const fs = withFaults(nodeFileSystem, plan);
    const lockedOut = async () => {
      const handle = await nodeFileSystem.open(join(directory, "f"), { access: "readWrite" });
      const answer = await handle.tryLock();
      await handle.close();
      return answer;
    };
    const handle = await open(fs, "f");
    if ((await handle.tryLock()) === "unsupported") return;
    expect(await lockedOut()).toBe("busy");
    plan.failAt(plan.operations + 1, { errno: "EIO" });
    expect(await codeOf(handle.close())).toBe("EIO");
    expect(await lockedOut()).toBe("taken");
  });
});

describe("slowSync", () => {
  it("delays what promises durability, and nothing else", async () => {
    const fs = slowSync(new FaultyFileSystem(), 30);
    const timeOf = async (work: () => Promise<unknown>) => {
      const start = performance.now();
      await work();
      // A timer may fire up to a millisecond early by this clock.
      return performance.now() - start >= 28;
    };
    const plain = await fs.open("/f", { access: "write", create: "ifMissing" });
    const dsync = await fs.open("/f", { access: "write", dsync: true });
    expect(await timeOf(() => plain.sync())).toBe(true);
    expect(await timeOf(() => plain.datasync())).toBe(true);
    expect(await timeOf(() => dsync.write([bytes("x")], 0))).toBe(true);
    expect(await timeOf(() => fs.syncDirectory("/"))).toBe(true);
    let turns = 0;
    const write = plain.write([bytes("x")], 0).then(() => turns++);
    await Promise.resolve().then(() => write);
    expect(turns).toBe(1);
  });
});

describe("withoutSafeguard", () => {
  const written = async (fs: FileSystem, dsync: boolean) => {
    const handle = await fs.open("/f", { access: "write", create: "exclusive", dsync });
    await handle.write([bytes("x")], 0);
    if (!dsync) await handle.sync();
    await fs.syncDirectory("/");
  };
  const survives = async (faulty: FaultyFileSystem) =>
    (await faulty.powerCut({ mode: "strict" }).stat("/f"))?.size;

  it("takes out syncs, O_DSYNC and syncs of directories", async () => {
    for (const [safeguard, dsync, left] of [
      ["lock", false, 1],
      ["lock", true, 1],
      ["sync", false, 0],
      ["dsync", true, 0],
      ["syncDirectory", false, undefined],
    ] as const) {
      const faulty = new FaultyFileSystem();
      await written(withoutSafeguard(faulty, safeguard), dsync);
      expect([safeguard, await survives(faulty)]).toEqual([safeguard, left]);
    }
  });

  it("only where it is told", async () => {
    const faulty = new FaultyFileSystem();
    await written(
      withoutSafeguard(faulty, "sync", (path) => path !== "/f"),
      false,
    );
    expect(await survives(faulty)).toBe(1);
  });

  it("takes out exclusive creation, exclusive links and locks", async () => {
    const faulty = new FaultyFileSystem();
    await written(faulty, false);
    const create = { access: "readWrite", create: "exclusive" } as const;
    expect(await codeOf(withoutSafeguard(faulty, "exclusive").open("/f", create))).toBe("no error");
    await (await faulty.open("/g", create)).close();
    expect(await codeOf(withoutSafeguard(faulty, "link").link("/g", "/f"))).toBe("no error");
    const holder = await faulty.open("/g", { access: "readWrite" });
    expect(await holder.tryLock()).toBe("taken");
    const second = await withoutSafeguard(faulty, "lock").open("/g", { access: "readWrite" });
    expect(await second.tryLock()).toBe("taken");
  });
});
