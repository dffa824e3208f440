import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const DRIVER = join(import.meta.dirname, "../dist/driver.js");
if (!existsSync(DRIVER)) throw new Error(`${DRIVER} is missing: build first (npm test does).`);

let directory: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ckpt-driver-"));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<number | null>;
}

function work(...args: (string | number)[]): Run {
  const child = spawn(process.execPath, [DRIVER, "work", ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { child, lines, ended: new Promise((resolve) => child.on("close", resolve)) };
}

/** What `serve` answers for these lines. */
async function serve(
  ...directories: string[]
): Promise<Record<string, { i?: number; sha?: string; error?: string }>[]> {
  return (await serveAndTell(...directories)).answers;
}

/** The same, with what it said on stderr. */
async function serveAndTell(...directories: string[]) {
  const child = spawn(process.execPath, [DRIVER, "serve"], { stdio: "pipe" });
  started.push(child);
  const answers: Record<string, { i?: number; sha?: string }>[] = [];
  const told: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => answers.push(JSON.parse(line)));
  createInterface({ input: child.stderr }).on("line", (line) => told.push(line));
  child.stdin.end(`${directories.join("\n")}\n`);
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
  return { answers, told };
}

/** The last acknowledged save of each agent: number and hash. */
function lastAcknowledged(lines: readonly string[]): Record<string, { i: number; sha: string }> {
  const last: Record<string, { i: number; sha: string }> = {};
  for (const line of lines) {
    const [verb, key, i, sha] = line.split(" ");
    if (verb === "ACK") last[key as string] = { i: Number(i), sha: sha as string };
  }
  return last;
}

describe("driver.js work", () => {
  it("says TRY before each save and ACK after it, with the same hash, and ends with 0", async () => {
    const { lines, ended } = work(directory, 30, 7, 4);
    expect(await ended).toBe(0);
    expect(lines.filter((line) => !/^(TRY|ACK) w3-[abcd] \d+ [0-9a-f]{64}$/.test(line))).toEqual([]);
    const numbers = lines.filter((line) => line.startsWith("TRY")).map((line) => Number(line.split(" ")[2]));
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, n) => 7 + 4 * n));
    for (const [at, line] of lines.entries())
      if (line.startsWith("ACK")) expect(lines.indexOf(line.replace("ACK", "TRY"))).toBeLessThan(at);
    expect(await serve(directory)).toEqual([lastAcknowledged(lines)]);
  });

  it("goes on with the same agents when it is started again with a higher START", async () => {
    const first = work(directory, 12, 0, 2);
    await first.ended;
    const second = work(directory, 12, 1000, 2);
    expect(await second.ended).toBe(0);
    const [answer] = await serve(directory);
    expect(Object.keys(answer ?? {})).toEqual(["w0-a", "w0-b", "w0-c", "w0-d"]);
    expect(answer).toEqual(lastAcknowledged(second.lines));
  });

  it("says ERR with the code when another process holds its agents", async () => {
    const holder = work(directory, 1_000_000, 0, 1);
    while (!holder.lines.some((line) => line.startsWith("ACK"))) await new Promise((r) => setTimeout(r, 10));
    const rival = work(directory, 3, 500_000_000, 1);
    expect(await rival.ended).toBe(1);
    expect(rival.lines.filter((line) => line.startsWith("ACK"))).toEqual([]);
    expect(rival.lines).toContain("ERR w0-a 500000000 CKPT_LOCKED");
  });

  it("refuses wrong arguments with 2", async () => {
    expect(await work(directory, "many", 0, 1).ended).toBe(2);
  });
});

describe("driver.js serve", () => {
  it("gives at least what was acknowledged when the worker was killed, and nothing that was never tried", async () => {
    const worker = work(directory, 1_000_000, 0, 1);
    while (worker.lines.length < 150) await new Promise((r) => setTimeout(r, 5));
    worker.child.kill("SIGKILL");
    await worker.ended;
    const [answer] = await serve(directory);
    for (const [key, { i }] of Object.entries(lastAcknowledged(worker.lines))) {
      expect(answer?.[key]?.i).toBeGreaterThanOrEqual(i);
      expect(worker.lines).toContain(`TRY ${key} ${answer?.[key]?.i} ${answer?.[key]?.sha}`);
    }
  });

  it("says on stderr which part of the store is damaged", async () => {
    await work(directory, 12, 0, 1).ended;
    expect((await serveAndTell(directory)).told).toEqual([]);
    const names = await readdir(directory, { recursive: true });
    const path = join(directory, names.find((name) => name.endsWith(".seg")) as string);
    // With its hint there, the segment itself is read only where a state is asked for.
    await rm(path.replace(".seg", ".hint"));
    const bytes = await readFile(path);
    bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 200);
    await writeFile(path, bytes);
    const { told } = await serveAndTell(directory);
    expect(told.filter((line) => line.startsWith("serve: ") && line.includes(path))).not.toEqual([]);
  });

  it("answers each line, also for a directory that is no store, while a writer is alive", async () => {
    const worker = work(directory, 1_000_000, 0, 1);
    while (worker.lines.length < 40) await new Promise((r) => setTimeout(r, 5));
    const before = lastAcknowledged(worker.lines);
    const [empty, living, file] = await serve(join(directory, "nothing"), directory, DRIVER);
    expect(empty).toEqual({});
    for (const [key, { i }] of Object.entries(before)) expect(living?.[key]?.i).toBeGreaterThanOrEqual(i);
    expect(typeof file?.["!"]).toBe("string");
  });
});
