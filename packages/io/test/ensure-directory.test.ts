import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureDirectory, nodeFileSystem, removeTree } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { FailingFs } from "./support/failing-fs.js";
import { tempDirectory } from "./support/temp-directory.js";

describe("ensureDirectory", () => {
  it("creates each level 0700 and syncs the parent of each", async () => {
    const root = await tempDirectory();
    const { fs, calls } = new FailingFs();
    const path = join(root, "a", "b", "c");
    const created = await ensureDirectory(path, { fs });
    expect(created).toEqual([join(root, "a"), join(root, "a", "b"), path]);
    for (const level of created) expect((await nodeFileSystem.stat(level))?.mode).toBe(0o700);
    const synced = calls.filter(({ operation }) => operation === "syncDirectory").map((call) => call.path);
    // First that of the level found: a process that died may have left it unsynced.
    expect(synced).toEqual([dirname(root), ...created.map((level) => dirname(level))]);
    const order = calls.map(({ operation }) => operation).filter((op) => op !== "stat");
    expect(order).toEqual([
      "syncDirectory",
      "mkdir",
      "syncDirectory",
      "mkdir",
      "syncDirectory",
      "mkdir",
      "syncDirectory",
    ]);
  });

  it("does nothing where it is there already, through a symbolic link too", async () => {
    const root = await tempDirectory();
    await mkdir(join(root, "real"));
    await symlink(join(root, "real"), join(root, "link"));
    expect(await ensureDirectory(join(root, "real"))).toEqual([]);
    expect(await ensureDirectory(join(root, "link"))).toEqual([]);
    expect(await ensureDirectory(join(root, "link", "below"))).toEqual([join(root, "link", "below")]);
  });

  it("bears a parent that it may not open, where there is nothing to create", async () => {
    const path = await tempDirectory();
    const denied = new FailingFs((operation) => (operation === "syncDirectory" ? "EACCES" : undefined));
    expect(await ensureDirectory(path, { fs: denied.fs })).toEqual([]);
    await expect(ensureDirectory(join(path, "new"), { fs: denied.fs })).rejects.toMatchObject({
      code: "CKPT_NO_PERMISSION",
    });
  });

  it("lets many create the same path at once", async () => {
    const path = join(await tempDirectory(), "a", "b");
    await Promise.all(Array.from({ length: 10 }, () => ensureDirectory(path)));
    expect((await nodeFileSystem.stat(path))?.kind).toBe("directory");
  });

  it("says CKPT_CONFLICT where something else has the name, and what else the system reports", async () => {
    const root = await tempDirectory();
    await writeFile(join(root, "file"), "");
    await expect(ensureDirectory(join(root, "file"))).rejects.toMatchObject({ code: "CKPT_CONFLICT" });
    await expect(ensureDirectory(join(root, "file", "below"))).rejects.toMatchObject({
      code: "CKPT_CONFLICT",
    });
    for (const [errno, code] of [
      ["EROFS", "CKPT_NO_PERMISSION"],
      ["ENOSPC", "CKPT_NO_SPACE"],
      ["EIO", "CKPT_IO"],
    ] as const) {
      const { fs } = new FailingFs((operation) => (operation === "mkdir" ? errno : undefined));
      await expect(ensureDirectory(join(root, "new"), { fs })).rejects.toMatchObject({ code });
    }
  });
});

describe("removeTree", () => {
  it.each(["this machine's", "another"])(
    "removes all below on %s file system, and follows no link",
    async (which) => {
      const root = await tempDirectory();
      await mkdir(join(root, "tree", "deep"), { recursive: true });
      await writeFile(join(root, "outside"), "kept");
      await writeFile(join(root, "tree", "deep", "file"), "");
      await symlink(root, join(root, "tree", "link"));
      const options = which === "another" ? { fs: new FailingFs().fs } : {};
      await removeTree(join(root, "tree"), options);
      await removeTree(join(root, "tree"), options);
      expect(await nodeFileSystem.readdir(root)).toEqual(["outside"]);
    },
  );

  it("reports what it cannot remove", async () => {
    const root = await tempDirectory();
    await writeFile(join(root, "file"), "");
    const { fs } = new FailingFs((operation) => (operation === "unlink" ? "EROFS" : undefined));
    await expect(removeTree(root, { fs })).rejects.toMatchObject({ code: "CKPT_NO_PERMISSION" });
  });
});
