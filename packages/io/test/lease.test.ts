import { link, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { acquireLease, nodeFileSystem, processIdentity } from "@ckpt/io";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startChild } from "./support/child.js";
import { FailingFs } from "./support/failing-fs.js";
import { withLostAnswers } from "./support/lost-answers.js";
import { tempDirectory } from "./support/temp-directory.js";

describe.each([
  ["with OS locks", true],
  ["without OS locks", false],
])("a lease %s", (_name, osLocks) => {
  const before = process.env.CKPT_NO_OS_LOCKS;
  beforeEach(() => {
    process.env.CKPT_NO_OS_LOCKS = osLocks ? "" : "1";
  });
  afterEach(() => {
    if (before === undefined) delete process.env.CKPT_NO_OS_LOCKS;
    else process.env.CKPT_NO_OS_LOCKS = before;
  });

  it("is held by one at a time, within a process too, and names its holder", async () => {
    const directory = join(await tempDirectory(), "a", "b");
    const lease = await acquireLease(directory, { writer: "w1", subject: "agent-3" });
    expect(lease.epoch).toBe(1);
    await lease.verify();
    await expect(acquireLease(directory)).rejects.toMatchObject({
      code: "CKPT_LOCKED",
      details: {
        holder: { pid: process.pid, writer: "w1", subject: "agent-3", epoch: 1, since: lease.holder.since },
      },
    });
    await lease.release();
    await lease.release();
    const next = await acquireLease(directory);
    expect(next.epoch).toBe(2);
    await expect(lease.verify()).rejects.toMatchObject({
      code: "CKPT_FENCED",
      details: { epoch: 1, highest: 2 },
    });
    await next.release();
  });

  it.each(["EEXIST", "EINTR"])("is taken when its link was made though %s came back", async (errno) => {
    const directory = await tempDirectory();
    const lease = await acquireLease(directory, { fs: withLostAnswers(errno) });
    expect(lease.epoch).toBe(1);
    await expect(acquireLease(directory)).rejects.toMatchObject({ code: "CKPT_LOCKED" });
    await lease.release();
    await (await acquireLease(directory)).release();
  });

  it("counts as held where a directory has the name of its file", async () => {
    const directory = await tempDirectory();
    await mkdir(join(directory, "3.lease"));
    await expect(acquireLease(directory)).rejects.toMatchObject({
      code: "CKPT_LOCKED",
      message: expect.stringContaining("3.lease cannot be read"),
    });
  });

  it("is refused in words for a person: what is held, by whom, and freeing by hand only where that could help", async () => {
    const directory = await tempDirectory();
    const lease = await acquireLease(directory, { subject: "agent-3" });
    const refused = await acquireLease(directory).catch((error: unknown) => error);
    const { message, hint, details } = refused as {
      message: string;
      hint: string;
      details: { because: string };
    };
    expect(message).toContain(`"agent-3" is held by process ${process.pid} on `);
    const isLockBusy = details.because === "it holds the system's lock";
    expect(hint.includes(join(directory, "1.released"))).toBe(!isLockBusy);
    await lease.release();
  });

  it("lets one of many in one process win", async () => {
    const directory = await tempDirectory();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLease(directory)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "CKPT_LOCKED" });
    }
    await won[0]!.value.release();
  });

  it("is free within a second of kill -9 of its holder", async () => {
    const directory = await tempDirectory();
    const child = await startChild(["hold", directory], osLocks);
    expect(await child.line("held")).toBe("held 1");
    await expect(acquireLease(directory)).rejects.toMatchObject({
      code: "CKPT_LOCKED",
      details: { holder: { pid: child.pid, writer: "holder" } },
    });
    child.kill("SIGKILL");
    const killedAt = performance.now();
    let lease: Awaited<ReturnType<typeof acquireLease>> | undefined;
    while (lease === undefined && performance.now() - killedAt < 30_000) {
      lease = await acquireLease(directory).catch(() => undefined);
    }
    expect(lease?.epoch).toBe(2);
    expect(performance.now() - killedAt).toBeLessThan(1000);
    await lease?.release();
  });

  it("stays with a holder that is stopped, for as long as it takes", async () => {
    const directory = await tempDirectory();
    const child = await startChild(["hold", directory], osLocks);
    await child.line("held");
    child.kill("SIGSTOP");
    for (let i = 0; i < 20; i++) {
      await expect(acquireLease(directory)).rejects.toMatchObject({ code: "CKPT_LOCKED" });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it("can be acquired after its holder died at any file operation of acquire and release", async () => {
    const directory = await tempDirectory();
    let last = 0;
    let deaths = 0;
    for (let point = 1; ; point++) {
      const child = await startChild(["crash", directory, String(point)], osLocks);
      await child.exited;
      const lease = await acquireLease(directory);
      expect(lease.epoch).toBeGreaterThan(last);
      last = lease.epoch;
      await lease.release();
      if (child.lines.includes("survived")) break;
      expect(child.lines.filter((line) => line.startsWith("FAILED"))).toEqual([]);
      deaths++;
    }
    expect(deaths).toBeGreaterThan(10);
    expect((await readdir(directory)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("keeps only the newest few epochs on the disk", async () => {
    const directory = await tempDirectory();
    for (let i = 0; i < 20; i++) await (await acquireLease(directory)).release();
    const names = await readdir(directory);
    expect(names).toContain("20.lease");
    expect(names).toContain("20.released");
    expect(names.length).toBeLessThan(14);
  });

  it("refuses a holder on another machine, and says how to free it by hand, which works", async () => {
    const directory = await tempDirectory();
    const identity = await processIdentity();
    const foreign = { ...identity, machineId: "f".repeat(32), bootId: "0".repeat(36), host: "elsewhere" };
    await writeFile(
      join(directory, "7.lease"),
      JSON.stringify({ format: 1, ...foreign, epoch: 7, since: "then" }),
    );
    const refused = await acquireLease(directory).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "CKPT_LOCKED",
      details: { holder: { host: "elsewhere", since: "then" } },
    });
    expect(String((refused as { hint: string }).hint)).toContain("7.released");
    await writeFile(join(directory, "7.released"), "");
    const lease = await acquireLease(directory);
    expect(lease.epoch).toBe(8);
    await lease.release();
  });

  it.each([
    ["nothing", ""],
    ["half a line", '{"format":1,"epoch":3,"pid":'],
    [
      "a pid that means a process group",
      JSON.stringify({ format: 1, epoch: 3, host: "h", pid: -1, since: "x" }),
    ],
    ["another epoch", JSON.stringify({ format: 1, epoch: 4, host: "h", pid: 1, since: "x" })],
    ["more bytes than a lease has", "x".repeat(100_000)],
  ])("refuses a lease file that holds %s, as its holder cannot be proven dead", async (_what, text) => {
    const directory = await tempDirectory();
    await writeFile(join(directory, "3.lease"), text);
    await expect(acquireLease(directory)).rejects.toMatchObject({
      code: "CKPT_LOCKED",
      hint: expect.stringContaining("3.released"),
    });
  });

  it("withdraws when a higher epoch came between its listing and its link", async () => {
    const directory = await tempDirectory();
    await (await acquireLease(directory)).release();
    const failing = new FailingFs();
    let links = 0;
    const late = {
      ...failing.fs,
      link: async (from: string, to: string) => {
        if (++links === 1) {
          // Meanwhile others had the lease as 2 and 3, gave it back, and 2 was cleaned up.
          await link(join(directory, "1.lease"), join(directory, "3.lease"));
          await link(join(directory, "1.lease"), join(directory, "3.released"));
        }
        return failing.fs.link(from, to);
      },
    };
    const lease = await acquireLease(directory, { fs: late });
    expect(lease.epoch).toBe(4);
    expect(await readdir(directory)).not.toContain("2.lease");
    await lease.release();
  });

  it("throws CKPT_LIMIT instead of running out of epochs, and CKPT_UNSUPPORTED without hard links", async () => {
    const directory = await tempDirectory();
    await writeFile(join(directory, "9007199254740991.lease"), "");
    await writeFile(join(directory, "9007199254740991.released"), "");
    await expect(acquireLease(directory)).rejects.toMatchObject({ code: "CKPT_LIMIT" });
    const failing = new FailingFs((operation) => (operation === "link" ? "EPERM" : undefined));
    const other = await tempDirectory();
    await expect(acquireLease(other, { fs: failing.fs })).rejects.toMatchObject({ code: "CKPT_UNSUPPORTED" });
    expect((await readdir(other)).filter((name) => name !== "lock")).toEqual([]);
  });

  it("leaves nothing locked behind when acquiring fails on a full disk, and reports it", async () => {
    const directory = await tempDirectory();
    for (const operation of ["write", "sync", "link", "syncDirectory", "readdir"] as const) {
      const failing = new FailingFs((op) => (op === operation ? "ENOSPC" : undefined));
      await expect(acquireLease(directory, { fs: failing.fs })).rejects.toMatchObject({
        code: "CKPT_NO_SPACE",
      });
    }
    await (await acquireLease(directory)).release();
  });
});

describe("a lease's lock file", () => {
  it("frees nobody when it was replaced while its holder lives", async () => {
    const directory = await tempDirectory();
    const lease = await acquireLease(directory);
    expect(lease.holder.osLock).toBeDefined();
    await rename(join(directory, "lock"), join(directory, "old-lock"));
    await expect(acquireLease(directory)).rejects.toMatchObject({ code: "CKPT_LOCKED" });
    await lease.release();
  });

  it("is 0600, as the leases are", async () => {
    const directory = await tempDirectory();
    const lease = await acquireLease(directory);
    for (const name of await readdir(directory)) {
      expect((await nodeFileSystem.stat(join(directory, name)))?.mode).toBe(0o600);
    }
    expect(await readFile(join(directory, "1.lease"), "utf8")).toContain(`"pid":${process.pid}`);
    await lease.release();
  });
});
