import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../dist/main.js");
if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: build first (npm test does).`);

interface Entry {
  readonly name: string;
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ckpt-validation-test-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function main(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, out, err };
}

/** Runs one scenario in its short form with a fixed seed. */
async function short(name: string): Promise<{ entry: Entry; lastLine: string }> {
  const json = join(directory, `${name}.json`);
  const { code, out } = await main("--short", "--seed", "1", "--only", name, "--json", json);
  const [entry] = JSON.parse(await readFile(json, "utf8")) as Entry[];
  expect(entry?.failures).toEqual([]);
  expect(code).toBe(0);
  return { entry: entry as Entry, lastLine: out.trim().split("\n").at(-1) ?? "" };
}

describe("the validation harness, shortened, with a fixed seed", () => {
  for (const [name, count, least] of [
    ["power-cuts", "cutStates", 150],
    ["failed-syncs", "failedSyncs", 10],
    ["faults", "faultedOperations", 300],
    ["damage", "damages", 60],
    ["hostile", "hostileInputs", 120],
    ["upkeep", "reads", 6],
    ["places", "acknowledged", 100],
    ["sensitivity", "mutantsCaught", 7],
  ] as const) {
    it(`passes ${name}`, { timeout: 240_000 }, async () => {
      const { entry, lastLine } = await short(name);
      expect(entry).toMatchObject({ name, status: "passed" });
      expect(entry.counts[count]).toBeGreaterThanOrEqual(least);
      expect(lastLine).toMatch(
        /^\d+ cut states, \d+ failed syncs, \d+ faulted operations, \d+ kills, \d+ damages: 0 acknowledged lost, 0 wrong returned, 0 silent; (\d+)\/\1 mutants caught$/,
      );
    });
  }

  it("names its scenarios and refuses others with 2", async () => {
    expect((await main("--help")).out).toContain("kill-loop");
    const { code, err } = await main("--only", "no-such-thing");
    expect(code).toBe(2);
    expect(err).toContain("no scenario no-such-thing");
    expect((await main("--only", "locks", "--seed", "")).code).toBe(2);
  });

  it("leaves nothing behind when it is interrupted", async () => {
    const place = join(directory, "interrupted");
    await mkdir(place);
    const child = spawn(process.execPath, [MAIN, "--short", "--seed", "1", "--only", "kill-loop"], {
      stdio: "ignore",
      env: { ...process.env, TMPDIR: place },
    });
    const ended = new Promise((resolve) => child.on("close", resolve));
    // With a writer's directory in it, its processes are there as well.
    while (!(await readdir(place, { recursive: true })).some((name) => name.endsWith(".seg")))
      await delay(10);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(await readdir(place)).toEqual([]);
  });

  it("refuses parts that no mutant has, parts without sensitivity, and a report that cannot be written", async () => {
    for (const args of [
      ["--only", "sensitivity", "--parts", "nope"],
      ["--only", "sensitivity", "--parts", ""],
      ["--only", "locks", "--parts", "fsync"],
    ]) {
      const { code, err } = await main("--short", ...args);
      expect(code).toBe(2);
      expect(err).toContain("--parts");
    }
    const { code, out } = await main("--short", "--only", "locks", "--json", "/no-such-place/report.json");
    expect({ code, out }).toEqual({ code: 1, out: "" });
  });
});
