import { spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Contestant } from "../src/contestant.js";
import { probe } from "../src/contestants/index.js";
import { appendDsync } from "../src/contestants/limits.js";
import { ours } from "../src/contestants/ours.js";
import { circumstances, keep } from "../src/report/report.js";
import { table } from "../src/report/table.js";
import type { Run } from "../src/scenario.js";
import { agents64 } from "../src/scenarios/save-rate.js";
import { Generator } from "../src/states.js";
import { bigRestoreJson, bigSaveFile } from "../src/tasks/big-state.js";

const main = join(import.meta.dirname, "../dist/main.js");
let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "ckpt-bench-test-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

const broken: Contestant = {
  name: "a peer that is not installed",
  durability: "nothing",
  kind: "peer",
  open: () => Promise.reject(new Error("Cannot find module")),
};

describe("the benchmark", () => {
  it("measures ours beside a limit, checks what it saved, and reports who is absent", async () => {
    const contestants = await probe([ours, appendDsync, broken]);
    expect(contestants.absent).toEqual([{ name: broken.name, absent: "Cannot find module" }]);
    const run: Run = {
      quick: true,
      rounds: 1,
      seed: 1,
      contestants,
      progress: () => undefined,
      directory: () => mkdtemp(join(work, "d-")),
      child: () => Promise.reject(new Error("no scenario of this test needs a process")),
    };
    const result = await agents64.run(run);
    expect(result.rows.map((row) => row.name)).toEqual([ours.name, appendDsync.name]);
    for (const row of result.rows) expect(row.median).toBeGreaterThan(0);
    expect(table(result)).toContain("64 agents at once");
    const { absent } = contestants;
    const report = { ...circumstances(), quick: true, rounds: 1, seed: 1, absent, results: [result] };
    const kept = join(work, "kept");
    await keep(report, kept);
    expect(JSON.parse(await readFile(join(kept, "report.json"), "utf8"))).toEqual(
      JSON.parse(JSON.stringify(report)),
    );
    expect(await readFile(join(kept, "report.html"), "utf8")).toContain(broken.name);
    expect(await readFile(join(kept, "agents-64.svg"), "utf8")).toMatch(
      /^<svg xmlns.*@ckpt\/resilient.*<\/svg>\n$/s,
    );
  });

  it.each([
    ["--rounds", "x"],
    ["--rounds", "0"],
    ["--seed", "1.5"],
    ["--seed", ""],
    ["--only", "nope"],
  ])("refuses %s %s before anything is measured", (flag, value) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [main, "--no-peers", flag, value], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(flag === "--only" ? value : flag);
  });

  it("fetches no peers for a scenario that measures none", () => {
    // Without a PATH nothing can be fetched or packed: the scenario fails, but not before it has begun.
    const { stderr } = spawnSync(process.execPath, [main, "--only", "install"], {
      encoding: "utf8",
      env: { ...process.env, PATH: "/nowhere" },
    });
    expect(stderr).toContain("install: packing");
    expect(stderr).not.toContain("peers");
  });

  it.skipIf(process.platform === "win32")("leaves nothing behind when it is interrupted", async () => {
    const directory = join(work, "interrupted");
    await mkdir(directory);
    const child = spawn(process.execPath, [main, "--no-peers", "--quick", "--only", "turns-memory"], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, TMPDIR: directory },
    });
    let told = "";
    child.stderr.on("data", (text: Buffer) => {
      told += text.toString();
      if (told.includes("probing")) child.kill("SIGINT");
    });
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(130);
    expect(await readdir(directory)).toEqual([]);
  });

  it("saves a large state to a plain file where the peer for that is absent", async () => {
    const directory = join(work, "large");
    await mkdir(directory);
    const argument = { directory, seed: 1, messages: 10, isAtomic: false };
    expect((await bigSaveFile(argument)).ms).toBeGreaterThan(0);
    expect((await bigRestoreJson(argument)).messages).toBeGreaterThanOrEqual(10);
  });

  it("makes the same states from the same seed, of about the size that was asked for", () => {
    const state = new Generator(7).state(65_536, 2000);
    expect(new Generator(7).state(65_536, 2000)).toEqual(state);
    expect(new Generator(8).state(65_536, 2000)).not.toEqual(state);
    const bytes = Buffer.byteLength(JSON.stringify(state));
    expect(bytes).toBeGreaterThan(55_000);
    expect(bytes).toBeLessThan(80_000);
  });
});
