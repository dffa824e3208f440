import { FaultyFileSystem } from "@ckpt/conformance";
import { DiskStore } from "@ckpt/disk";
import { type FileHandle, type FileSystem, nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { boundTo } from "./support/bound-to.js";
import { freshDirectory, put } from "./support/store.js";

it("repairs while saves go on, and loses none of them", async () => {
  const directory = await freshDirectory();
  const agents = ["a", "b", "c"];
  const store = new DiskStore(directory, { autoCompact: false });
  for (const id of agents) await store.acquire(id);
  const acknowledged = new Map(agents.map((id) => [id, 0]));
  let isOver = false;
  const saving = agents.map(async (id) => {
    for (let n = 1; !isOver; n++) {
      await store.commit([put(id, n, { n, text: "x".repeat(500) })]);
      acknowledged.set(id, n);
    }
  });
  while (acknowledged.get("a")! < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  for (let i = 0; i < 3; i++) await store.repair();
  isOver = true;
  await Promise.all(saving);
  const other = new DiskStore(directory, { fs: { ...nodeFileSystem } });
  for (const id of agents) expect((await other.list(id)).length, id).toBe(acknowledged.get(id));
  await other.close();
  await store.close();
});

/** As on systems without O_DSYNC: a synchronous write is a write and then a sync. `afterWrite` runs in between. */
function withoutDsync(fs: FileSystem, afterWrite: () => void): FileSystem {
  return {
    ...boundTo(fs),
    open: async (path, { dsync, ...how }) => {
      const handle = await fs.open(path, how);
      if (dsync !== true) return handle;
      const write: FileHandle["write"] = async (buffers, position) => {
        const written = await handle.write(buffers, position);
        afterWrite();
        await handle.datasync();
        return written;
      };
      return {
        path: handle.path,
        read: (...args) => handle.read(...args),
        write,
        truncate: (length) => handle.truncate(length),
        sync: () => handle.sync(),
        datasync: () => handle.datasync(),
        stat: () => handle.stat(),
        tryLock: () => handle.tryLock(),
        close: () => handle.close(),
      };
    },
  };
}

it("puts on the disk what it writes a hint of: whoever takes the agent over relies on that", async () => {
  const options = { reserveBytes: 0, autoCompact: false };
  const disk = new FaultyFileSystem();
  const process = disk.process();
  let isLast = false;
  const killOnce = () => {
    if (isLast) process.killProcess();
  };
  const dead = new DiskStore("/store", { fs: withoutDsync(process, killOnce), ...options });
  await dead.acquire("a");
  await dead.commit([put("a", 1, { n: 1 })]);
  isLast = true;
  await expect(dead.commit([put("a", 2, { n: 2 })])).rejects.toThrow();
  await dead.close().catch(() => {});
  const next = new DiskStore("/store", { fs: disk.process(), ...options });
  const { actions } = await next.repair();
  const rebuilt = { kind: "rebuild", place: expect.stringMatching(/\.hint$/) };
  expect(actions).toContainEqual(expect.objectContaining(rebuilt));
  await next.acquire("a");
  const retried = await next.commit([put("a", 2, { n: 2 })]);
  expect(retried.durability).toBe("durable");
  const after = new DiskStore("/store", { fs: disk.powerCut({ mode: "strict" }), ...options });
  expect((await after.list("a")).map(({ id }) => id)).toEqual(["a:1", "a:2"]);
  expect((await after.load("a", "a:2")).toValue()).toEqual({ n: 2 });
  await after.close();
});
