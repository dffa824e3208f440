import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Sandbox } from "../src/tools/sandbox.js";
import { scratch } from "./scratch.js";

describe("the sandbox of the tools", () => {
  it.each(["../secret.txt", "a/../../secret.txt", "/etc/passwd", "..", "a\0b"])(
    "refuses %j",
    async (path) => {
      const outer = await scratch({ "secret.txt": "no", "folder/a/b.txt": "yes" });
      const folder = await Sandbox.open(join(outer, "folder"));
      await expect(folder.read(path)).rejects.toMatchObject({ code: "CKPT_NO_PERMISSION" });
      await expect(folder.list(path)).rejects.toMatchObject({ code: "CKPT_NO_PERMISSION" });
    },
  );

  it("refuses a symbolic link that leads out, and follows one that stays in", async () => {
    const outer = await scratch({ "secret.txt": "no", "folder/a.txt": "yes" });
    await symlink(join(outer, "secret.txt"), join(outer, "folder", "out.txt"));
    await symlink(join(outer, "folder", "a.txt"), join(outer, "folder", "in.txt"));
    await symlink(outer, join(outer, "folder", "up"));
    const folder = await Sandbox.open(join(outer, "folder"));
    await expect(folder.read("out.txt")).rejects.toMatchObject({ code: "CKPT_NO_PERMISSION" });
    await expect(folder.read("up/secret.txt")).rejects.toMatchObject({ code: "CKPT_NO_PERMISSION" });
    expect(await folder.read("in.txt")).toBe("yes");
  });

  it("does not mistake a neighbour with a longer name for the folder", async () => {
    const outer = await scratch({ "folder/a.txt": "yes", "folder-2/b.txt": "no" });
    const folder = await Sandbox.open(join(outer, "folder"));
    await expect(folder.read("../folder-2/b.txt")).rejects.toMatchObject({ code: "CKPT_NO_PERMISSION" });
  });

  it("lists text files by name and leaves out hidden, generated, linked and binary ones", async () => {
    const root = await scratch({
      "b.md": "b",
      "a/x.ts": "x",
      "a/image.png": "?",
      ".hidden/y.md": "y",
      ".env.txt": "z",
      "node_modules/p/index.js": "p",
      "dist/out.js": "o",
    });
    await symlink(join(root, "b.md"), join(root, "link.md"));
    const folder = await Sandbox.open(root);
    expect((await folder.list()).map((file) => file.path)).toEqual(["a/x.ts", "b.md"]);
    expect(await folder.list("a")).toEqual([{ path: "a/x.ts", bytes: 1 }]);
  });

  it("lists only as much as a search may read", async () => {
    const root = await scratch();
    const megabyte = Buffer.alloc(1_000_000, 0x61);
    for (let i = 10; i < 36; i++) await writeFile(join(root, `${i}.txt`), megabyte);
    const files = await (await Sandbox.open(root)).list();
    expect(files.map((file) => file.path).at(-1)).toBe("33.txt");
    expect(files).toHaveLength(24);
  });

  it("refuses a file above its limit and names what does not exist", async () => {
    const root = await scratch();
    await writeFile(join(root, "big.txt"), Buffer.alloc(1_000_001, 0x61));
    const folder = await Sandbox.open(root);
    await expect(folder.read("big.txt")).rejects.toMatchObject({ code: "CKPT_LIMIT" });
    await expect(folder.read("gone.txt")).rejects.toMatchObject({ code: "CKPT_NOT_FOUND" });
    await expect(Sandbox.open(join(root, "gone"))).rejects.toMatchObject({ code: "CKPT_NOT_FOUND" });
    await expect(Sandbox.open(join(root, "big.txt"))).rejects.toMatchObject({ code: "CKPT_NOT_FOUND" });
  });
});
