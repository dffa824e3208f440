import { symlink } from "node:fs/promises";
import { DiskStore } from "@ckpt/disk";
import { expect, it } from "vitest";
import { codeOf, filesOf, freshDirectory, put, saveAll } from "./support/store.js";

it("gives store objects on one directory one log, by reference count, also by another path to it", async () => {
  const directory = await freshDirectory();
  const first = new DiskStore(directory);
  const lease = await first.acquire("a");
  await symlink(directory, `${directory}-link`);
  const second = new DiskStore(`${directory}-link`);
  await second.acquire("b");
  await Promise.all([saveAll(first, "a", 20, (i) => ({ i })), saveAll(second, "b", 20, (i) => ({ i }))]);
  const segments = [...(await filesOf(directory)).keys()].filter((name) => name.endsWith(".seg"));
  expect(segments).toHaveLength(1);
  expect(await second.list("a")).toHaveLength(20);
  expect((await first.load("b", "b:20")).toValue()).toEqual({ i: 20 });
  await first.close();
  await second.commit([put("b", 21, { i: 21 })]);
  expect(await codeOf(first.list("a"))).toBe("CKPT_CLOSED");
  await lease.release();
  await second.acquire("a");
  await second.commit([put("a", 21, { i: 21 })]);
  await second.close();
  const third = new DiskStore(directory);
  expect(await third.list("a")).toHaveLength(21);
  expect(await third.list("b")).toHaveLength(21);
  await third.close();
});

it("refuses an agent that another object of the process holds, and a commit through the wrong one", async () => {
  const directory = await freshDirectory();
  const [first, second] = [new DiskStore(directory), new DiskStore(directory)];
  const lease = await first.acquire("a");
  await expect(second.acquire("a")).rejects.toMatchObject({
    code: "CKPT_LOCKED",
    details: { holder: { pid: process.pid } },
  });
  expect(await codeOf(second.commit([put("a", 1, 1)]))).toBe("CKPT_LOCKED");
  await first.commit([put("a", 1, 1)]);
  await lease.release();
  expect(await codeOf(first.commit([put("a", 2, 2)]))).toBe("CKPT_LOCKED");
  expect((await second.acquire("a")).epoch).toBe(2);
  await second.commit([put("a", 2, 2)]);
  await Promise.all([first.close(), second.close()]);
});

it("creates nothing and takes no lock for reading", async () => {
  const directory = await freshDirectory();
  const reader = new DiskStore(directory);
  expect(await reader.agents()).toEqual([]);
  expect(await reader.list("a")).toEqual([]);
  expect(await reader.agent("a")).toBeUndefined();
  expect(await codeOf(reader.load("a", "a:1"))).toBe("CKPT_NOT_FOUND");
  for await (const finding of reader.verify()) expect(finding).toBeUndefined();
  await reader.close();
  expect(await codeOf(filesOf(directory))).toBe("ENOENT");
});

it("changes no byte by opening, listing, loading and verifying", async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  await saveAll(store, "a", 10, (i) => ({ i }));
  await store.close();
  const before = await filesOf(directory);
  const reader = new DiskStore(directory);
  await reader.load("a", (await reader.list("a"))[4]!.id);
  for await (const finding of reader.verify()) expect(finding).toBeUndefined();
  await reader.close();
  expect(await filesOf(directory)).toEqual(before);
});
