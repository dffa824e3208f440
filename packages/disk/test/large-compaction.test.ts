import { randomBytes } from "node:crypto";
import { DiskStore } from "@ckpt/disk";
import { type FileHandle, type FileSystem, nodeFileSystem } from "@ckpt/io";
import { expect, it } from "vitest";
import { boundTo } from "./support/bound-to.js";
import { findingsOf, freshDirectory, put, remove } from "./support/store.js";

const MIB = 1024 * 1024;
const note = (i: number) => ({
  op: "event" as const,
  agentId: "a",
  event: { kind: "note" as const, topic: `t${i}`, body: `${i} `.padEnd(MIB, "y") },
});

it("keeps the facts of an agent that take more room than the header of one commit has", async () => {
  const directory = await freshDirectory();
  const former = new DiskStore(directory, { autoCompact: false });
  await former.acquire("a");
  for (let i = 0; i < 33; i++) await former.commit([note(i)]);
  await former.commit([put("a", 1, { i: 1 }), put("a", 2, { i: 2 })]);
  await former.close();
  const store = new DiskStore(directory, { autoCompact: false });
  await store.acquire("a");
  const before = await store.agent("a");
  expect(Object.keys(before?.notes ?? {})).toHaveLength(33);
  await store.compact();
  await store.commit([remove("a", 1)]);
  await store.compact();
  await store.close();
  const again = new DiskStore(directory, { autoCompact: false });
  expect(await again.agent("a")).toEqual({ ...before, count: 1 });
  expect(await findingsOf(again)).toEqual([]);
  await again.close();
});

it("drops more metadata from one checkpoint to the next than the header of a commit has room for", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory, { autoCompact: false });
  await store.acquire("a");
  const text = "t".repeat(20_000);
  const labels = (of: string) =>
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${of}${i}-`.padEnd(MIB, "k"), i]));
  await store.commit([put("a", 1, { text, i: 1 }, { metadata: labels("x") })]);
  await store.commit([put("a", 2, { text, i: 2 }, { metadata: labels("y") })]);
  await store.commit([put("a", 3, { text, i: 3 })]);
  await store.commit([remove("a", 3)]);
  await store.compact();
  await store.close();
  const again = new DiskStore(directory, { autoCompact: false });
  expect((await again.get("a", "a:2"))?.metadata).toEqual(labels("y"));
  expect((await again.load("a", "a:2")).toValue()).toEqual({ text, i: 2 });
  await again.close();
});

/** Counts the files that are open for writing at a time. */
class CountingFiles {
  readonly fs: FileSystem;
  #open = 0;
  most = 0;

  constructor() {
    const inner = boundTo(nodeFileSystem);
    this.fs = {
      ...inner,
      open: async (path, options) => {
        const handle = await inner.open(path, options);
        return path.endsWith(".seg") && options.access === "write" ? this.#counted(handle) : handle;
      },
    };
  }

  #counted(handle: FileHandle): FileHandle {
    this.most = Math.max(this.most, ++this.#open);
    const close = handle.close.bind(handle);
    return Object.assign(handle, {
      close: async () => {
        this.#open--;
        await close();
      },
    });
  }
}

it("has one file open at a time, however many it writes", async () => {
  const files = new CountingFiles();
  const directory = await freshDirectory();
  const options = { fs: files.fs, segmentBytes: 16_384, autoCompact: false };
  const store = new DiskStore(directory, options);
  await store.acquire("a");
  for (let i = 1; i <= 60; i++)
    await store.commit([put("a", i, { noise: randomBytes(3000).toString("base64") })]);
  await store.commit([remove("a", 1)]);
  const states = await Promise.all((await store.list("a")).map(({ id }) => store.load("a", id)));
  files.most = 0;
  await store.compact();
  expect(files.most).toBe(1);
  await store.close();
  const again = new DiskStore(directory, options);
  const headers = await again.list("a");
  expect(headers).toHaveLength(59);
  for (const [i, { id }] of headers.entries()) expect((await again.load("a", id)).hash).toBe(states[i]!.hash);
  expect(await findingsOf(again)).toEqual([]);
  await again.close();
});
