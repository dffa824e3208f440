import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeFileSystem as fs, readFully, writeFully } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { FailingFs } from "./support/failing-fs.js";
import { tempDirectory } from "./support/temp-directory.js";

describe("nodeFileSystem", () => {
  it("creates files 0600 and directories as asked, under a loose umask too", async () => {
    const root = await tempDirectory();
    const before = process.umask(0);
    try {
      await (await fs.open(join(root, "f"), { access: "write", create: "exclusive" })).close();
      await fs.mkdir(join(root, "d"), 0o700);
    } finally {
      process.umask(before);
    }
    expect((await fs.stat(join(root, "f")))?.mode).toBe(0o600);
    expect((await fs.stat(join(root, "d")))?.mode).toBe(0o700);
  });

  it("never follows a symbolic link in the last component", async () => {
    const root = await tempDirectory();
    await writeFile(join(root, "target"), "secret");
    await symlink(join(root, "target"), join(root, "link"));
    await expect(fs.open(join(root, "link"), { access: "write" })).rejects.toMatchObject({ code: "ELOOP" });
    await expect(fs.open(join(root, "link"), { access: "write", create: "ifMissing" })).rejects.toMatchObject(
      {
        code: "ELOOP",
      },
    );
    expect((await fs.stat(join(root, "link")))?.kind).toBe("symlink");
    expect(await readFile(join(root, "target"), "utf8")).toBe("secret");
  });

  it("does not wait for ever to open a FIFO that stands where a file should", async () => {
    const path = join(await tempDirectory(), "fifo");
    execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
    const handle = await fs.open(path, { access: "read" });
    expect((await handle.stat()).kind).toBe("other");
    await handle.close();
  });

  it("says undefined for what is not there, and lists names sorted", async () => {
    const root = await tempDirectory();
    for (const name of ["b", "a", "C"]) await writeFile(join(root, name), "");
    expect(await fs.stat(join(root, "none"))).toBeUndefined();
    expect(await fs.stat(join(root, "a", "below"))).toBeUndefined();
    expect(await fs.readdir(root)).toEqual(["C", "a", "b"]);
    await expect(fs.open(join(root, "none"), { access: "read" })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(fs.open(join(root, "a"), { access: "write", create: "exclusive" })).rejects.toMatchObject({
      code: "EEXIST",
    });
    expect(await fs.freeBytes(root)).toBeGreaterThan(0);
  });

  it("writes more buffers than one call carries, and reads them back from any position", async () => {
    const path = join(await tempDirectory(), "f");
    const buffers = Array.from({ length: 2500 }, (_, i) => Buffer.from([i & 255, i >> 8]));
    const handle = await fs.open(path, { access: "readWrite", create: "exclusive", dsync: true });
    expect(await writeFully(handle, buffers, 7)).toBe(5000);
    const bytes = Buffer.alloc(6000);
    expect(await readFully(handle, bytes, 0, 6000, 7)).toBe(5000);
    expect(bytes.subarray(0, 5000).equals(Buffer.concat(buffers))).toBe(true);
    await handle.close();
  });

  it("writes on the calling thread where that is asked for, fails as ever, and lets the event loop turn in between", async () => {
    const path = join(await tempDirectory(), "f");
    const how = { access: "readWrite", create: "exclusive", dsync: true, blockingWrites: true } as const;
    const handle = await fs.open(path, how);
    let turns = 0;
    const ticking = setInterval(() => turns++, 0);
    const until = Date.now() + 5_000;
    for (let at = 0; turns < 3 && Date.now() < until; at += 10) {
      const writing = handle.write([Buffer.from("abcd"), Buffer.from("efghij")], at);
      expect(readFileSync(path)).toHaveLength(at + 10); // written before the call returned
      expect(await writing).toBe(10);
    }
    clearInterval(ticking);
    expect(turns).toBe(3);
    await handle.close();
    await expect(handle.write([Buffer.from("x")], 0)).rejects.toMatchObject({ code: "EBADF" });
    const reading = await fs.open(path, { access: "read", blockingWrites: true });
    await expect(reading.write([Buffer.from("x")], 0)).rejects.toMatchObject({ code: "EBADF" });
    await reading.close();
  });

  it("addresses positions above 4 GiB", async () => {
    const path = join(await tempDirectory(), "sparse");
    const handle = await fs.open(path, { access: "readWrite", create: "exclusive" });
    const far = 6 * 2 ** 30 + 5;
    await handle.write([Buffer.from("far"), Buffer.from("away")], far);
    const bytes = Buffer.alloc(7);
    await handle.read(bytes, 0, 7, far);
    expect(bytes.toString()).toBe("faraway");
    await handle.close();
  });

  it("refuses calls after close, so that a reused descriptor is never written to", async () => {
    const root = await tempDirectory();
    const handle = await fs.open(join(root, "a"), { access: "write", create: "exclusive" });
    await handle.close();
    await handle.close();
    const other = await fs.open(join(root, "b"), { access: "write", create: "exclusive" });
    await expect(handle.write([Buffer.from("x")], 0)).rejects.toMatchObject({ code: "EBADF" });
    await expect(handle.sync()).rejects.toMatchObject({ code: "EBADF" });
    await other.close();
    expect(await readFile(join(root, "b"), "utf8")).toBe("");
  });

  it("waits with close for the write that is under way", async () => {
    const path = join(await tempDirectory(), "f");
    const handle = await fs.open(path, { access: "write", create: "exclusive" });
    const order: string[] = [];
    const writing = handle.write([Buffer.alloc(32 * 1024 * 1024, 1)], 0).then(() => order.push("written"));
    const closing = handle.close().then(() => order.push("closed"));
    await Promise.all([writing, closing]);
    expect(order).toEqual(["written", "closed"]);
  });

  it("reports the permission error of the system", async () => {
    const root = await tempDirectory();
    await mkdir(join(root, "d"));
    await writeFile(join(root, "d", "f"), "");
    await expect(fs.rmdir(join(root, "d"))).rejects.toMatchObject({ code: "ENOTEMPTY" });
    if (process.getuid?.() === 0) return; // root may do anything; the rest holds for other users
    await chmod(join(root, "d"), 0o500);
    await expect(fs.unlink(join(root, "d", "f"))).rejects.toMatchObject({ code: "EACCES" });
    await chmod(join(root, "d"), 0o700);
  });
});

describe("writeFully", () => {
  it("completes short writes of one byte across buffers", async () => {
    const path = join(await tempDirectory(), "f");
    const failing = new FailingFs((operation) => (operation === "write" ? 1 : undefined));
    const handle = await failing.fs.open(path, { access: "write", create: "exclusive" });
    await writeFully(handle, [Buffer.from("ab"), Buffer.alloc(0), Buffer.from("cde")], 0);
    await handle.close();
    expect(await readFile(path, "utf8")).toBe("abcde");
  });

  it("fails with EIO when a write takes nothing, instead of trying for ever", async () => {
    const path = join(await tempDirectory(), "f");
    const failing = new FailingFs((operation) => (operation === "write" ? 0 : undefined));
    const handle = await failing.fs.open(path, { access: "write", create: "exclusive" });
    await expect(writeFully(handle, [Buffer.from("ab")], 0)).rejects.toMatchObject({ code: "EIO" });
    await handle.close();
  });
});
