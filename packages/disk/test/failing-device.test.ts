import { DiskStore } from "@ckpt/disk";
import { isCkptError } from "@ckpt/errors";
import { nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { codeOf, findingsOf, freshDirectory, put, saveAll } from "./support/store.js";

/** The file system, where files with `part` in their path open and cannot be read, the first `times` that it is tried. */
function unreadable(part: string, times = Number.POSITIVE_INFINITY): typeof nodeFileSystem {
  let left = times;
  const open: typeof nodeFileSystem.open = async (path, options) => {
    const handle = await nodeFileSystem.open(path, options);
    if (options.access === "read" && path.includes(part) && left-- > 0) {
      handle.read = () => Promise.reject(Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" }));
    }
    return handle;
  };
  return { ...nodeFileSystem, open };
}

/** A store with three checkpoints of one agent, closed. */
async function threeSaved(): Promise<string> {
  const directory = await freshDirectory();
  const writer = new DiskStore(directory, { autoCompact: false });
  await writer.acquire("a");
  await saveAll(writer, "a", 3, (n) => ({ n }));
  await writer.close();
  return directory;
}

it.each(["heads", "manifests", ".hint"])(
  "reads every checkpoint, verifies and plans a repair where the device fails in %s",
  async (part) => {
    const directory = await freshDirectory();
    const first = new DiskStore(directory, { autoCompact: false });
    await first.acquire("a");
    await saveAll(first, "a", 3, (n) => ({ n }));
    await first.close();
    const second = new DiskStore(directory, { autoCompact: false });
    await second.acquire("b");
    await second.commit([put("b", 1, { n: 1 })]);
    await second.compact();
    await second.close();
    const store = new DiskStore(directory, { fs: unreadable(part), autoCompact: false });
    expect(await store.list("a")).toHaveLength(3);
    expect((await store.load("a", "a:2")).toValue()).toEqual({ n: 2 });
    const findings = [];
    for await (const finding of store.verify()) findings.push(finding);
    for (const { affectedIds } of findings) expect(affectedIds).toEqual([]);
    if (part !== ".hint") expect(findings.map(({ kind }) => kind)).toContain("damaged");
    expect((await store.repair({ dryRun: true })).dryRun).toBe(true);
    await store.close();
  },
);

it.each(["heads", "manifests"])(
  "puts nothing of %s into quarantine because one read of it failed",
  async (part) => {
    const directory = await freshDirectory();
    const first = new DiskStore(directory, { autoCompact: false });
    await first.acquire("a");
    await saveAll(first, "a", 3, (n) => ({ n }));
    await first.compact();
    await first.close();
    const store = new DiskStore(directory, { fs: unreadable(part, 1), autoCompact: false });
    expect((await store.repair()).quarantined).toEqual([]);
    expect(await store.list("a")).toHaveLength(3);
    await store.close();
  },
);

it("gives back a state that could not be read the first time: who took it for damaged would go back to an older one", async () => {
  const directory = await threeSaved();
  const fs = { ...nodeFileSystem };
  const store = new DiskStore(directory, { fs, autoCompact: false });
  expect(await store.list("a")).toHaveLength(3);
  fs.open = unreadable(".seg", 2).open;
  expect((await store.load("a", "a:3")).toValue()).toEqual({ n: 3 });
  expect(store.takeFindings()).toEqual([]);
  await store.close();
});

it("takes a segment that could not be opened the first time for what it is", async () => {
  const directory = await threeSaved();
  const store = new DiskStore(directory, { fs: unreadable(".seg", 1), autoCompact: false });
  await store.acquire("a");
  expect(await store.list("a")).toHaveLength(3);
  expect(store.takeFindings()).toEqual([]);
  await store.close();
});

it.each(["EEXIST", "EINTR"])(
  "keeps what was compacted where a link was made and %s came back",
  async (code) => {
    const directory = await freshDirectory();
    const fs = { ...nodeFileSystem };
    fs.link = async (from, to) => {
      await nodeFileSystem.link(from, to);
      if (to.includes("manifests")) throw Object.assign(new Error(`${code}: link`), { code });
    };
    const store = new DiskStore(directory, { fs, autoCompact: false });
    await store.acquire("a");
    await saveAll(store, "a", 3, (n) => ({ n }));
    expect(await codeOf(store.compact())).toBe("none");
    expect((await store.load("a", "a:3")).toValue()).toEqual({ n: 3 });
    await store.close();
    const again = new DiskStore(directory, { autoCompact: false });
    expect(await again.list("a")).toHaveLength(3);
    expect((await again.load("a", "a:2")).toValue()).toEqual({ n: 2 });
    await again.close();
  },
);

it("says with an error of its own that a damaged checkpoint could not be looked for elsewhere", async () => {
  const directory = await threeSaved();
  const fs = { ...nodeFileSystem };
  const store = new DiskStore(directory, { fs, autoCompact: false });
  expect(await store.list("a")).toHaveLength(3);
  const { open } = unreadable(".seg");
  // Once the checkpoint could not be read, the look for where it may have gone fails too.
  fs.open = async (...args) => {
    fs.readdir = async () => {
      throw Object.assign(new Error("EIO: i/o error, scandir"), { code: "EIO" });
    };
    return open(...args);
  };
  expect(await codeOf(store.load("a", "a:2"))).toBe("CKPT_IO");
  await store.close();
});

it("says that the device fails, not that the store is damaged, where nothing can be read: another place may go on", async () => {
  const directory = await threeSaved();
  const store = new DiskStore(directory, { fs: unreadable(directory), autoCompact: false });
  expect(await codeOf(store.list("a"))).toBe("CKPT_IO");
  expect(await codeOf(store.acquire("a"))).toBe("CKPT_IO");
  await store.close();
});

it("says with an error of its own that a segment cannot be read while a repair is planned", async () => {
  const directory = await freshDirectory();
  const writer = new DiskStore(directory, { autoCompact: false });
  await writer.acquire("a");
  await saveAll(writer, "a", 3, (n) => ({ n }));
  const open: typeof nodeFileSystem.open = async (path, options) => {
    if (path.endsWith(".seg"))
      throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    return nodeFileSystem.open(path, options);
  };
  const store = new DiskStore(directory, { fs: { ...nodeFileSystem, open }, autoCompact: false });
  const error = await store.repair({ dryRun: true }).catch((thrown: unknown) => thrown);
  expect(isCkptError(error)).toBe(true);
  await store.close();
  await writer.close();
});

it("rejects a compaction whose writes fail, and takes no source for damaged because of it", async () => {
  const directory = await freshDirectory();
  let failsAfter = Number.POSITIVE_INFINITY;
  const open: typeof nodeFileSystem.open = async (path, options) => {
    const handle = await nodeFileSystem.open(path, options);
    if (options.create !== "exclusive" || !path.endsWith(".seg")) return handle;
    const write = handle.write.bind(handle);
    handle.write = (buffers, position) =>
      failsAfter-- > 0
        ? write(buffers, position)
        : Promise.reject(Object.assign(new Error("EIO: i/o error, write"), { code: "EIO" }));
    return handle;
  };
  const store = new DiskStore(directory, { fs: { ...nodeFileSystem, open }, autoCompact: false });
  await store.acquire("a");
  // More than goes out in one write of a compaction.
  const stateOf = (n: number) => ({ n, text: String.fromCharCode(97 + n).repeat(30_000) });
  await saveAll(store, "a", 20, stateOf);
  // The header of the output is written, and some of what follows, but not all of it.
  for (const writes of [0, 1, 2]) {
    failsAfter = writes;
    expect(await codeOf(store.compact())).toBe("CKPT_IO");
    failsAfter = Number.POSITIVE_INFINITY;
    expect(await findingsOf(store)).toEqual([]);
  }
  await store.compact();
  for (let n = 1; n <= 20; n++) expect((await store.load("a", `a:${n}`)).toValue()).toEqual(stateOf(n));
  await store.close();
});
