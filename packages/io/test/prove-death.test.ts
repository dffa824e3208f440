import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseProcessIdentity, processIdentity, proveDeath } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { readProcessStat } from "../src/process-identity.js";

const isLinux = process.platform === "linux";
const unusedPid = 0x7fff_fff0;

describe("processIdentity", () => {
  it.runIf(isLinux)("knows boot, namespace and start time on Linux", async () => {
    const identity = await processIdentity();
    expect(identity.pid).toBe(process.pid);
    expect(identity.bootId).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    expect(identity.namespace).toMatch(/^pid:\[\d+\] time:/);
    expect(identity.startTime).toMatch(/^\d+$/);
  });

  it.runIf(isLinux)("is not misled by a command name made of brackets and fields", async () => {
    const before = await readProcessStat("self");
    const title = process.title;
    process.title = ") Z 1 (x) 1 2";
    try {
      expect(readFileSync("/proc/self/stat", "latin1")).toContain(") Z 1");
      const after = await readProcessStat("self");
      expect(after?.startTime).toBe(before!.startTime);
      expect(after?.state).not.toBe("Z");
    } finally {
      process.title = title;
    }
  });

  it("survives JSON, and is refused in any other shape", async () => {
    const identity = await processIdentity();
    expect(parseProcessIdentity(JSON.parse(JSON.stringify(identity)))).toEqual(identity);
    for (const pid of [0, -1, 1.5, "1", 2 ** 31, null]) {
      expect(parseProcessIdentity({ ...identity, pid })).toBeUndefined();
    }
    expect(parseProcessIdentity(null)).toBeUndefined();
    expect(parseProcessIdentity("text")).toBeUndefined();
    expect(parseProcessIdentity({ ...identity, host: "h".repeat(10_000) })).toBeUndefined();
    expect(parseProcessIdentity({ ...identity, bootId: 5 })).toMatchObject({ bootId: undefined });
  });
});

describe("proveDeath", () => {
  it("finds this process alive, and never anything that it cannot see dead", async () => {
    const me = await processIdentity();
    expect((await proveDeath(me)).state).not.toBe("dead");
    const boot = "12345678-1234-1234-1234-123456789abc";
    const elsewhere = { ...me, host: "other", machineId: "a".repeat(32), bootId: boot, pid: unusedPid };
    expect((await proveDeath(elsewhere)).state).toBe("unknown");
    if (!isLinux) return;
    expect((await proveDeath({ ...me, namespace: "pid:[1] time:[1]", pid: unusedPid })).state).toBe(
      "unknown",
    );
    expect((await proveDeath({ ...me, namespace: undefined, pid: unusedPid })).state).toBe("unknown");
    expect((await proveDeath({ ...me, startTime: undefined })).state).toBe("unknown");
    expect((await proveDeath({ ...me, bootId: undefined, pid: unusedPid })).state).toBe("unknown");
  });

  it("finds a pid dead that is not there, or that started at another time", async () => {
    const me = await processIdentity();
    expect((await proveDeath({ ...me, pid: unusedPid })).state).toBe("dead");
    if (isLinux) expect((await proveDeath({ ...me, startTime: "1" })).state).toBe("dead");
  });

  it.runIf(isLinux)("finds everything dead that ran here before the last boot", async () => {
    const me = await processIdentity();
    const earlier = { ...me, bootId: "12345678-1234-1234-1234-123456789abc" };
    expect((await proveDeath(earlier)).state).toBe("dead");
  });

  it.runIf(isLinux)("finds a zombie dead that its parent never waited for", async () => {
    // A shell that starts a child and becomes sleep, which never reaps it.
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const pid = Number(
        await new Promise<string>((resolve) => parent.stdout.once("data", (d) => resolve(String(d)))),
      );
      let stat = await readProcessStat(pid);
      for (let i = 0; i < 500 && stat?.state !== "Z"; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        stat = await readProcessStat(pid);
      }
      expect(stat?.state).toBe("Z");
      const verdict = await proveDeath({ ...(await processIdentity()), pid, startTime: stat!.startTime });
      expect(verdict).toMatchObject({ state: "dead", because: expect.stringContaining("ended") });
    } finally {
      parent.kill("SIGKILL");
    }
  });
});
