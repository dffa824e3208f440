import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FaultPlan, withFaults } from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import { crc32, nodeFileSystem } from "@ckpt/io";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { describe, expect, it } from "vitest";
import { errorOf, TestAgent, until } from "./support/agent-bench.js";
import { startAgent, temporaryDirectory } from "./support/child.js";

interface State {
  n: number;
}

function open(directory: string, options = {}, agentId = "agent-3") {
  const agent = new TestAgent<State>({ n: 0 });
  const { collect, apply } = agent;
  const manager = new ResilientCheckpointManager<State>(agentId, {
    ...("store" in options ? {} : { directory }),
    collect,
    apply,
    retention: false,
    ...options,
  });
  return { agent, manager };
}

async function saved(directory: string, count: number): Promise<void> {
  const { agent, manager } = open(directory);
  for (let n = 1; n <= count; n++) {
    agent.state = { n };
    expect((await manager.createCheckpoint()).durability).toBe("durable");
  }
  await manager.close();
}

/** Every file below a directory. */
async function files(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

describe("when checkpoint creation fails", () => {
  it("says that the directory may not be written, and how to help", async () => {
    // A real refusal by the system: as root it takes a child that is nobody.
    const directory = await temporaryDirectory();
    await chmod(directory, 0o555);
    const isRoot = process.getuid?.() === 0;
    const child = await startAgent(
      ["degraded", join(directory, "store")],
      isRoot ? { uid: 65_534, gid: 65_534 } : {},
    );
    const error = JSON.parse((await child.line("ERR")).slice(4)) as {
      code: string;
      hint: string;
      message: string;
    };
    await chmod(directory, 0o755);
    expect(error.code).toBe("CKPT_NO_PERMISSION");
    expect(error.hint).toMatch(/write access|directory/);
    expect(error.message).toContain(directory);
  });

  it("says that a file stands where the directory should be, and works once it is gone", async () => {
    const directory = join(await temporaryDirectory(), "store");
    await writeFile(directory, "not a directory");
    const { manager } = open(directory);
    const error = await errorOf(manager.createCheckpoint());
    expect(error.code).toMatch(/^CKPT_(IO|NOT_FOUND|CONFLICT|NO_PERMISSION|INVALID_ARGUMENT|UNSUPPORTED)$/);
    expect(error.message).toContain(directory);
    expect(error.hint).toBeTruthy();
    expect(await readFile(directory, "utf8")).toBe("not a directory");
    await manager.close();
  });

  it("goes on in memory on a full disk, says so, and loses nothing", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const plan = new FaultPlan();
    // The file system reports what a full disk reports; everything else is real.
    const store = new DiskStore(directory, { fs: withFaults(nodeFileSystem, plan) });
    const { agent, manager } = open(directory, { store, memoryBytesWhenDegraded: 4_000 });
    agent.state = { n: 1 };
    await manager.createCheckpoint();
    plan.failAt(plan.operations + 1, { errno: "ENOSPC", mode: "forever", only: ["write"] });
    agent.state = { n: 2 };
    expect((await manager.createCheckpoint()).durability).toBe("degraded");
    expect(manager.status()).toMatchObject({
      pendingIds: ["agent-3:2"],
      lastError: { code: "CKPT_NO_SPACE" },
    });
    let error: Awaited<ReturnType<typeof errorOf>> | undefined;
    for (let i = 0; i < 50 && error === undefined; i++) {
      await manager.createCheckpoint("routine").catch((refused) => {
        error = refused;
      });
    }
    expect(error).toMatchObject({ code: "CKPT_MEMORY_FULL", cause: { code: "CKPT_NO_SPACE" } });
    expect(error?.hint).toMatch(/memoryBytesWhenDegraded/);
    const pending = manager.status().pendingIds;
    plan.heal();
    await until(() => manager.status().pendingCommits === 0, 20_000);
    await manager.close();
    await store.close();
    const reader = open(directory).manager;
    expect((await reader.getAll()).map(({ id }) => id)).toEqual(
      expect.arrayContaining(["agent-3:1", ...pending]),
    );
    await reader.close();
  });

  it("refuses an agent id that is none, before anything is touched", async () => {
    const directory = join(await temporaryDirectory(), "store");
    for (const id of ["", "a\nb", "x".repeat(400)]) {
      expect(() => open(directory, {}, id)).toThrow(
        expect.objectContaining({ code: "CKPT_INVALID_ID", hint: expect.stringContaining("200 bytes") }),
      );
    }
    await expect(readdir(directory)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("takes ids that would be trouble as file names for what they are", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const ids = ["..", "../../etc/passwd", "CON", "a/b", "__proto__", "ä😀", "A", "a"];
    for (const id of ids) {
      const { manager } = open(directory, {}, id);
      await manager.create("x", { n: 1 });
      await manager.close();
    }
    for (const id of ids) {
      const { manager } = open(directory, {}, id);
      expect(await manager.length).toBe(1);
      await manager.close();
    }
  });

  it("says where a state has what cannot be saved, and saves nothing of it", async () => {
    const directory = join(await temporaryDirectory(), "store");
    await saved(directory, 1);
    const { agent, manager } = open(directory);
    await manager.recover();
    const state: Record<string, unknown> = { plan: { steps: [{ done: true }, { done: () => true }] } };
    agent.state = state as never;
    const error = await errorOf(manager.createCheckpoint());
    expect(error.message).toContain("plan.steps[1].done");
    expect(error.hint).toBeTruthy();
    expect(await manager.length).toBe(1);
    await manager.close();
  });
});

describe("when restoration fails", () => {
  it("says that there is no such checkpoint", async () => {
    const directory = join(await temporaryDirectory(), "store");
    await saved(directory, 2);
    const { agent, manager } = open(directory);
    const error = await errorOf(manager.restoreCheckpoint("agent-3:99"));
    expect(error).toMatchObject({ code: "CKPT_NOT_FOUND", details: { checkpointId: "agent-3:99" } });
    expect(error.hint).toBeTruthy();
    expect(agent.applied).toEqual([]);
    expect(await manager.length).toBe(2);
    await manager.close();
  });

  it("says that it belongs to another agent, and to which", async () => {
    const directory = join(await temporaryDirectory(), "store");
    await saved(directory, 1);
    const { manager } = open(directory, {}, "agent-4");
    const error = await errorOf(manager.restoreCheckpoint("agent-3:1"));
    expect(error).toMatchObject({ code: "CKPT_WRONG_AGENT", details: { ownerAgentId: "agent-3" } });
    expect(error.hint).toContain("agent-3");
    await manager.close();
  });

  it("says what is corrupt, restores the newest intact one, and keeps the damaged bytes", async () => {
    const directory = join(await temporaryDirectory(), "store");
    // Two processes' worth: the second segment begins with a keyframe of its own.
    await saved(directory, 3);
    const segments = (await files(directory)).filter((file) => file.endsWith(".seg"));
    expect(segments).toHaveLength(1);
    const { agent: second, manager: writer } = open(directory);
    await writer.recover();
    second.state = { n: 4 };
    await writer.createCheckpoint();
    await writer.close();
    const newest = (await files(directory)).filter(
      (file) => file.endsWith(".seg") && !segments.includes(file),
    );
    const bytes = await readFile(newest[0]!);
    const at = bytes.indexOf('{"n":4}');
    expect(at).toBeGreaterThan(0);
    bytes[at + 5] = bytes[at + 5]! ^ 0x01;
    await writeFile(newest[0]!, bytes);
    const { agent, manager } = open(directory);
    const damaged: string[] = [];
    manager.on("damaged", ({ checkpointId }) => damaged.push(checkpointId));
    const report = await manager.recover();
    expect(agent.state).toEqual({ n: 3 });
    expect(report).toMatchObject({
      headId: "agent-3:4",
      checkpoint: { id: "agent-3:3" },
      skipped: [{ id: "agent-3:4", code: "CKPT_CORRUPT" }],
    });
    expect(damaged).toEqual(["agent-3:4"]);
    expect((await manager.getAll()).map(({ id }) => id)).toEqual([
      "agent-3:1",
      "agent-3:2",
      "agent-3:3",
      "agent-3:4",
    ]);
    const error = await errorOf(manager.restoreCheckpoint("agent-3:4", { allowOlder: false }));
    expect(error.code).toBe("CKPT_CORRUPT");
    expect(error.hint).toBeTruthy();
    await manager.close();
    expect((await readFile(newest[0]!)).subarray(at, at + 7)).toEqual(bytes.subarray(at, at + 7));
  });

  it("says that another process holds the agent, and which", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const child = await startAgent(["hold", directory, "agent-3"]);
    await child.line("HELD");
    const { manager } = open(directory);
    const error = await errorOf(manager.recover());
    expect(error).toMatchObject({ code: "CKPT_LOCKED", details: { holder: { pid: child.pid } } });
    expect(error.message + error.hint).toContain(String(child.pid));
    await manager.close();
  });

  it("says that a newer program wrote the state, and leaves it alone", async () => {
    const directory = join(await temporaryDirectory(), "store");
    const { manager: newer } = open(directory, { version: 3 });
    await newer.createCheckpoint();
    await newer.close();
    const { agent, manager } = open(directory, { version: 2 });
    const error = await errorOf(manager.recover());
    expect(error).toMatchObject({
      code: "CKPT_NEWER_VERSION",
      details: { storedVersion: 3, knownVersion: 2 },
    });
    expect(error.hint).toBeTruthy();
    expect(agent.applied).toEqual([]);
    await manager.close();
  });

  it("says that a newer version of the store wrote the directory, and touches nothing", async () => {
    const directory = join(await temporaryDirectory(), "store");
    await saved(directory, 1);
    const format = join(directory, "FORMAT");
    const text = await readFile(format, "utf8");
    const line = text.slice(0, text.indexOf("\n")).replace('"format":1', '"format":99');
    expect(text).not.toContain(line);
    await writeFile(format, `${line}\n${crc32(Buffer.from(line)).toString(16).padStart(8, "0")}\n`);
    const before = await files(directory);
    const { manager } = open(directory);
    const error = await errorOf(manager.recover());
    expect(error.code).toBe("CKPT_NEWER_VERSION");
    expect(error.hint).toBeTruthy();
    await manager.close();
    expect(await files(directory)).toEqual(before);
    await mkdir(directory, { recursive: true });
    await writeFile(format, text);
    const { manager: again } = open(directory);
    expect((await again.recover()).checkpoint?.id).toBe("agent-3:1");
    await again.close();
  });

  it("says that the schema refuses the state, where, and changes nothing", async () => {
    const directory = join(await temporaryDirectory(), "store");
    await saved(directory, 1);
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: () => ({ issues: [{ message: "must be a string", path: ["n"] }] }),
      },
    };
    const { agent, manager } = open(directory, { schema });
    const error = await errorOf(manager.recover());
    expect(error).toMatchObject({ code: "CKPT_INVALID_STATE", details: { issues: [{ path: "$.n" }] } });
    expect(agent.applied).toEqual([]);
    await manager.close();
  });
});
