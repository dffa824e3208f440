import { mkdir, rmdir } from "node:fs/promises";
import path from "node:path";
import { DiskStore } from "@ckpt/disk";
import { type FileSystem, nodeFileSystem } from "@ckpt/io";
import { afterEach, describe, expect, it } from "vitest";
import { boundTo } from "./support/bound-to.js";
import { codeOf, freshDirectory, put } from "./support/store.js";

const options = { autoCompact: false };
const home = process.cwd();
afterEach(() => process.chdir(home));

describe("a relative directory", () => {
  it("is where it was when the store was made, though the process goes elsewhere before the first call", async () => {
    const directory = await freshDirectory();
    for (const name of ["here", "there"]) await mkdir(path.join(directory, name), { recursive: true });
    process.chdir(path.join(directory, "here"));
    const store = new DiskStore("store", options);
    process.chdir(path.join(directory, "there"));
    expect(store.directory).toBe("store");
    await store.acquire("a");
    await store.commit([put("a", 1, { i: 1 })]);
    await store.close();
    const again = new DiskStore(path.join(directory, "here", "store"), options);
    expect(await again.agents()).toEqual(["a"]);
    await again.close();
  });

  it.skipIf(process.platform === "win32")(
    "is refused with a typed error where the working directory is gone",
    async () => {
      const directory = await freshDirectory();
      await mkdir(directory, { recursive: true });
      process.chdir(directory);
      await rmdir(directory);
      expect(() => new DiskStore("store", options)).toThrow(
        expect.objectContaining({ code: "CKPT_NOT_FOUND" }),
      );
    },
  );
});

describe("taking an agent", () => {
  it("leaves no lease behind when the store is closed at any moment of it", async () => {
    for (const isOpen of [false, true]) {
      for (let ticks = 0; ticks < 12; ticks++) {
        const directory = await freshDirectory();
        const store = new DiskStore(directory, options);
        if (isOpen) await store.acquire("other");
        const acquiring = codeOf(store.acquire("a"));
        for (let i = 0; i < ticks; i++) await undefined;
        await store.close();
        expect(await acquiring).toMatch(/^(none|CKPT_CLOSED)$/);
        const next = new DiskStore(directory, options);
        expect([isOpen, ticks, await codeOf(next.acquire("a"))]).toEqual([isOpen, ticks, "none"]);
        await next.close();
      }
    }
  });

  it("goes on when maintenance has taken the writer's new directory for one that a crash left", async () => {
    const directory = await freshDirectory();
    const other = new DiskStore(directory, options);
    await other.acquire("other");
    let compactions = 0;
    const inner = boundTo(nodeFileSystem);
    const fs: FileSystem = {
      ...inner,
      open: async (file, how) => {
        const isFirst = /writers[/\\][^/\\]+[/\\]lock$/.test(file) && compactions === 0;
        if (isFirst) {
          compactions++;
          await other.compact();
        }
        return inner.open(file, how);
      },
    };
    const store = new DiskStore(directory, { ...options, fs });
    await store.acquire("a");
    await store.commit([put("a", 1, { i: 1 })]);
    expect(compactions).toBe(1);
    await store.close();
    expect((await other.load("a", "a:1")).toValue()).toEqual({ i: 1 });
    await other.close();
  });
});
