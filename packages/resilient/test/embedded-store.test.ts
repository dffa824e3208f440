import { mkdir, readdir, realpath, symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { checkpointGroup, ResilientCheckpointManager, restoreGroup } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "./support/child.js";

describe("the embedded store", () => {
  it("is enough to save, list and read, with nothing but an agent id", async () => {
    const before = process.cwd();
    process.chdir(await temporaryDirectory());
    try {
      const manager = new ResilientCheckpointManager("agent-3");
      const saved = await manager.createCheckpoint("routine");
      expect(saved.durability).toBe("durable");
      await manager.create("task_started", { task: 7, when: new Date(7) });
      await manager.close();
      const reader = new ResilientCheckpointManager("agent-3");
      expect((await reader.getAll()).map(({ name }) => name)).toEqual(["routine", "task_started"]);
      expect(await (await reader.getLatestCheckpoint("task_started"))?.data()).toEqual({
        task: 7,
        when: new Date(7),
      });
      await reader.close();
    } finally {
      process.chdir(before);
    }
  });

  it("creates nothing before the first write", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const manager = new ResilientCheckpointManager("a", { directory });
    expect(await manager.getAll()).toEqual([]);
    expect(await manager.length).toBe(0);
    expect(manager.status().pendingCommits).toBe(0);
    await manager.close();
    expect(await readdir(join(directory, ".."))).toEqual([]);
  });

  it("is one store for all managers of a directory, however it is written, and stays open until the last has closed", async () => {
    const root = await realpath(await temporaryDirectory());
    const directory = join(root, "store");
    const one = new ResilientCheckpointManager<number>("one", {
      directory,
      collect: () => 1,
      apply: () => {},
    });
    const two = new ResilientCheckpointManager<number>("two", {
      directory: relative(process.cwd(), directory),
      collect: () => 2,
      apply: () => {},
    });
    const group = await checkpointGroup([one, two], "both");
    expect(group.durability).toBe("durable");
    expect(await readdir(join(directory, "writers"))).toHaveLength(1);
    await one.close();
    expect((await two.createCheckpoint()).durability).toBe("durable");
    await two.close();
    const again = new ResilientCheckpointManager<number>("one", { directory });
    expect(await again.length).toBe(1);
    await again.close();
  });

  it("takes two paths to one directory for the same place", async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, "real"));
    await symlink(join(root, "real"), join(root, "link"));
    const one = new ResilientCheckpointManager("a", { directory: join(root, "real", "store") });
    await one.createCheckpoint();
    const two = new ResilientCheckpointManager("a", { directory: join(root, "link", "store") });
    expect(await two.length).toBe(1);
    await expect(two.createCheckpoint()).rejects.toMatchObject({ code: "CKPT_LOCKED" });
    await one.close();
    expect((await two.createCheckpoint()).sequence).toBe(2);
    await two.close();
  });

  it("keeps a group of agents consistent across processes' lives", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const states: Record<string, number> = { a: 1, b: 1 };
    const open = (id: string) =>
      new ResilientCheckpointManager<number>(id, {
        directory,
        collect: () => states[id]!,
        apply: (state) => {
          states[id] = state;
        },
      });
    const first = [open("a"), open("b")];
    await checkpointGroup(first, "milestone");
    states.a = 5;
    states.b = 6;
    for (const manager of first) {
      await manager.createCheckpoint();
      await manager.close();
    }
    const second = [open("b"), open("a")];
    for (const manager of second) await manager.recover();
    expect(states).toEqual({ a: 5, b: 6 });
    await restoreGroup(second, "milestone");
    expect(states).toEqual({ a: 1, b: 1 });
    for (const manager of second) await manager.close();
    const third = [open("a"), open("b")];
    states.a = states.b = 0;
    for (const manager of third) await manager.recover();
    expect(states).toEqual({ a: 1, b: 1 });
    for (const manager of third) await manager.close();
  });

  it("gives its share back when the constructor refuses", async () => {
    const directory = join(await temporaryDirectory(), "store");
    expect(() => new ResilientCheckpointManager("a", { directory, version: -1 })).toThrow(
      expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" }),
    );
    const manager = new ResilientCheckpointManager("a", { directory });
    await manager.createCheckpoint();
    await manager.close();
    const after = new ResilientCheckpointManager("a", { directory });
    await after.recover();
    await after.close();
  });
});
