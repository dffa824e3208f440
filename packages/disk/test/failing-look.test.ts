import { readdirSync } from "node:fs";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { codeOf, freshDirectory, put, saveAll } from "./support/store.js";

const options = { autoCompact: false, reserveBytes: 0 };
type Changed = Partial<typeof nodeFileSystem>;

/** A store as another process would have it: with an index of its own. */
const apart = (directory: string, fs: Changed = {}) =>
  new DiskStore(directory, { fs: { ...nodeFileSystem, ...fs }, ...options });
const failure = (code: string) => Object.assign(new Error(code), { code });
const writersIn = (directory: string) => readdirSync(path.join(directory, "writers"));
const idsOf = async (store: DiskStore, agentId: string) =>
  (await store.list(agentId)).map(({ sequence }) => sequence);

/** A process that saves `from` to `to`, and ends. Resolves to its writer. */
async function life(directory: string, agentId: string, from: number, to: number): Promise<string> {
  const before = from === 1 && agentId === "a" ? [] : writersIn(directory);
  const store = apart(directory);
  await store.acquire(agentId);
  for (let n = from; n <= to; n++) await store.commit([put(agentId, n, { n })]);
  await store.close();
  return writersIn(directory).find((writer) => !before.includes(writer))!;
}

it("keeps every checkpoint when another read cannot look at a source while compaction is planned", async () => {
  // Which of two dead writers is planned first depends on their random ids: both ways.
  for (const which of [0, 1]) {
    const directory = await freshDirectory();
    const dead = [await life(directory, "a", 1, 3), await life(directory, "b", 1, 3)];
    const [read, failing] = which === 0 ? dead : [...dead].reverse();
    let isArmed = false;
    let fails = false;
    const store: DiskStore = apart(directory, {
      open: async (file, how) => {
        if (isArmed && file.includes(read!) && file.endsWith(".hint") && how.access === "read") {
          isArmed = false;
          fails = true;
          expect(await codeOf(store.list("other"))).toBe("CKPT_IO");
        }
        return nodeFileSystem.open(file, how);
      },
      readdir: async (file) => {
        if (fails && file.endsWith(failing!)) {
          fails = false;
          throw failure("EMFILE");
        }
        return nodeFileSystem.readdir(file);
      },
    });
    await store.acquire("c");
    await store.commit([put("c", 1, 1)]);
    expect(await idsOf(store, "a")).toEqual([1, 2, 3]);
    expect(await idsOf(store, "b")).toEqual([1, 2, 3]);
    isArmed = true;
    await store.compact();
    await store.close();
    const again = apart(directory);
    for (const agentId of ["a", "b"]) expect(await idsOf(again, agentId), agentId).toEqual([1, 2, 3]);
    expect(again.takeFindings()).toEqual([]);
    await again.close();
  }
});

it("takes an agent with its whole history when another read cannot look at the former holder's files meanwhile", async () => {
  const directory = await freshDirectory();
  const dead = await life(directory, "a", 1, 3);
  const former = apart(directory);
  await former.acquire("z");
  await former.commit([put("z", 1, 1)]);
  const lease = await former.acquire("a");
  for (let n = 4; n <= 6; n++) await former.commit([put("a", n, { n })]);
  await lease.release();
  const writer = writersIn(directory).find((id) => id !== dead)!;
  let isArmed = false;
  let fails = false;
  let opened = 0;
  const store: DiskStore = apart(directory, {
    open: async (file, how) => {
      if (isArmed && file.includes(writer) && file.endsWith(".seg") && ++opened === 2) {
        isArmed = false;
        fails = true;
        expect(await codeOf(store.list("other"))).toBe("CKPT_IO");
      }
      return nodeFileSystem.open(file, how);
    },
    readdir: async (file) => {
      if (fails && file.endsWith(writer)) {
        fails = false;
        throw failure("EMFILE");
      }
      return nodeFileSystem.readdir(file);
    },
  });
  expect(await idsOf(store, "a")).toHaveLength(6);
  await store.acquire("q");
  isArmed = true;
  await store.acquire("a");
  expect((await store.agent("a"))?.lastSequence).toBe(6);
  await store.close();
  await former.close();
});

it("sees one moment, however long a look takes beside another process's compaction", async () => {
  for (const verb of ["list", "acquire"] as const) {
    const directory = await freshDirectory();
    const compactor = apart(directory);
    await compactor.acquire("c");
    await compactor.commit([put("c", 1, 1)]);
    const [compactorsWriter] = writersIn(directory);
    const first = apart(directory);
    await first.acquire("z");
    const lease = await first.acquire("a");
    await saveAll(first, "a", 3, (n) => ({ n }));
    await lease.release();
    const before = writersIn(directory);
    const former = apart(directory);
    await former.acquire("a");
    for (let n = 4; n <= 6; n++) await former.commit([put("a", n, { n })]);
    const formersWriter = writersIn(directory).find((id) => !before.includes(id))!;
    let isArmed = false;
    let listed = 0;
    const store = apart(directory, {
      readdir: async (file) => {
        if (isArmed && file.endsWith(formersWriter)) {
          isArmed = false;
          while (listed === 0) await new Promise((resolve) => setTimeout(resolve, 5));
          await new Promise((resolve) => setTimeout(resolve, 20));
          await compactor.compact();
        }
        const names = await nodeFileSystem.readdir(file);
        if (file.endsWith(compactorsWriter!)) listed++;
        return names;
      },
    });
    expect(await idsOf(store, "a")).toHaveLength(6);
    await former.close();
    listed = 0;
    isArmed = true;
    if (verb === "acquire") await store.acquire("a");
    expect(await idsOf(store, "a"), verb).toEqual([1, 2, 3, 4, 5, 6]);
    for (const each of [store, compactor, first]) await each.close();
  }
});

/** Segments whose writes fail after having done their work, and of which no other can be begun, while `fails()` holds. */
const failingAfterwards = (fails: () => boolean): Changed => ({
  open: async (file, how) => {
    if (fails() && file.endsWith(".seg") && how.create === "exclusive") throw failure("EIO");
    const handle = await nodeFileSystem.open(file, how);
    if (how.access !== "write" || !file.endsWith(".seg")) return handle;
    const write = handle.write.bind(handle);
    handle.write = async (buffers, position) => {
      const written = await write(buffers, position);
      if (fails()) throw failure("EIO");
      return written;
    };
    return handle;
  },
});

it("writes a retry anew that a living process had rejected, and keeps it when that one voids its own", async () => {
  const directory = await freshDirectory();
  let fails = false;
  const former = apart(
    directory,
    failingAfterwards(() => fails),
  );
  const lease = await former.acquire("x");
  await former.acquire("y");
  await former.commit([put("x", 1, 1)]);
  await former.commit([put("y", 1, 1)]);
  fails = true;
  expect(await codeOf(former.commit([put("x", 2, 2)]))).toBe("CKPT_IO");
  await lease.release();
  const next = apart(directory);
  await next.acquire("x");
  expect((await next.commit([put("x", 2, 2)])).bytesWritten).toBeGreaterThan(0);
  fails = false;
  await former.commit([put("y", 2, 2)]);
  await former.close();
  await next.close();
  const again = apart(directory);
  expect(await idsOf(again, "x")).toEqual([1, 2]);
  expect((await again.load("x", "x:2")).toValue()).toBe(2);
  await again.close();
});

it("says on closing that what a failed write left does not count", async () => {
  const directory = await freshDirectory();
  let fails = false;
  const store = apart(
    directory,
    failingAfterwards(() => fails),
  );
  await store.acquire("x");
  await store.commit([put("x", 1, 1)]);
  fails = true;
  expect(await codeOf(store.commit([put("x", 2, 2)]))).toBe("CKPT_IO");
  fails = false;
  await store.close();
  const again = apart(directory);
  expect(await idsOf(again, "x")).toEqual([1]);
  await again.close();
});

it.each([[0], [2]])(
  "says on giving an agent back that what a failed write left does not count, beside %i saves",
  async (saves) => {
    const directory = await freshDirectory();
    let fails = false;
    const former = apart(
      directory,
      failingAfterwards(() => fails),
    );
    const lease = await former.acquire("x");
    await former.acquire("y");
    await former.commit([put("x", 1, 1), put("y", 1, 1)]);
    fails = true;
    expect(await codeOf(former.commit([put("x", 2, 2)]))).toBe("CKPT_IO");
    fails = false;
    const releasing = lease.release();
    const saving = Array.from({ length: saves }, (_, i) => former.commit([put("y", i + 2, i)]));
    await Promise.all([releasing, ...saving]);
    const next = apart(directory);
    await next.acquire("x");
    expect(await idsOf(next, "x")).toEqual([1]);
    await next.commit([put("x", 2, "another")]);
    await former.commit([put("y", 4, 4)]);
    await former.close();
    await next.close();
    const again = apart(directory);
    expect(await idsOf(again, "x")).toEqual([1, 2]);
    expect(await idsOf(again, "y")).toHaveLength(saves + 2);
    expect((await again.load("x", "x:2")).toValue()).toBe("another");
    expect(again.takeFindings()).toEqual([]);
    await again.close();
  },
);

it("gives an agent back also where that cannot be said", async () => {
  const directory = await freshDirectory();
  let fails = false;
  const store = apart(
    directory,
    failingAfterwards(() => fails),
  );
  const lease = await store.acquire("x");
  await store.commit([put("x", 1, 1)]);
  fails = true;
  expect(await codeOf(store.commit([put("x", 2, 2)]))).toBe("CKPT_IO");
  expect(await codeOf(lease.release())).toBe("none");
  expect(store.takeFindings()).toMatchObject([{ kind: "stale" }]);
  fails = false;
  await store.acquire("x");
  await store.commit([put("x", 3, 3)]);
  await store.close();
});
