import { type ChildProcess, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Contestant } from "./contestant.js";
import { probe } from "./contestants/index.js";
import { atomically, level, lmdb, writeFileAtomic } from "./contestants/key-value.js";
import { memorySaver, postgresSaver, sqliteSaver, sqliteSaverFull } from "./contestants/langgraph.js";
import {
  appendDsync,
  appendFdatasync,
  atomicReplace,
  prezeroedDsync,
  stringifyOnly,
} from "./contestants/limits.js";
import { ours, oursBlocking } from "./contestants/ours.js";
import { installPeers } from "./contestants/peer-modules.js";
import { sqlite } from "./contestants/sqlite.js";
import { KEPT } from "./paths.js";
import { profiled } from "./profile.js";
import { html } from "./report/html.js";
import { circumstances, keep, type Report } from "./report/report.js";
import { table } from "./report/table.js";
import type { Run, ScenarioResult } from "./scenario.js";
import { scenarios } from "./scenarios/index.js";

const USAGE = `npm run bench -- [--quick] [--only a,b] [--json FILE] [--html FILE] [--keep] [--rounds N] [--seed N] [--no-peers] [--profile DIR]
scenarios: ${scenarios.map((s) => s.name).join(", ")}`;

function flags() {
  try {
    return parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string" },
        json: { type: "string" },
        html: { type: "string" },
        keep: { type: "boolean", default: false },
        rounds: { type: "string" },
        seed: { type: "string", default: "1" },
        "no-peers": { type: "boolean", default: false },
        profile: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

const everyone: readonly Contestant[] = [
  ours,
  oursBlocking,
  appendDsync,
  appendFdatasync,
  prezeroedDsync,
  atomicReplace,
  stringifyOnly,
  sqlite,
  sqliteSaver,
  sqliteSaverFull,
  postgresSaver,
  memorySaver,
  lmdb,
  level,
  writeFileAtomic,
  atomically,
];

const children = new Set<ChildProcess>();

/** Ctrl-C leaves nothing behind: neither processes nor what they wrote. */
function removeOnSignal(work: string): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const child of children) child.kill("SIGKILL");
      rmSync(work, { recursive: true, force: true, maxRetries: 10 });
      process.exit(128 + constants.signals[signal]);
    });
  }
}

function childRunner(profile: string | undefined): Run["child"] {
  const path = join(fileURLToPath(new URL(".", import.meta.url)), "child.js");
  return <T>(work: string, argument: unknown, nodeFlags: readonly string[] = []) =>
    new Promise<T>((resolve, reject) => {
      const execArgv = [...nodeFlags, ...(profile ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : [])];
      const child = fork(path, [work, JSON.stringify(argument)], {
        execArgv,
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      children.add(child);
      let answer: T | undefined;
      child.on("message", (message) => (answer = message as T));
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        children.delete(child);
        if (code === 0 && answer !== undefined) resolve(answer);
        else reject(new Error(`the child for ${work} ended with ${signal ?? code}`));
      });
    });
}

async function main(): Promise<void> {
  const options = flags();
  if (options.help) return console.log(USAGE);
  const wanted = options.only?.split(",") ?? scenarios.map((s) => s.name);
  const unknown = wanted.filter((name) => !scenarios.some((s) => s.name === name));
  if (unknown.length > 0) {
    console.error(`no scenario ${unknown.join(", ")}\n${USAGE}`);
    process.exit(2);
  }
  const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
  const seed = options.seed.trim() === "" ? Number.NaN : Number(options.seed);
  if (!(Number.isSafeInteger(rounds) && rounds > 0) || !Number.isSafeInteger(seed)) {
    console.error(`--rounds takes a whole number from 1, --seed a whole number\n${USAGE}`);
    process.exit(2);
  }
  // A place that takes no report is worth knowing before the measurements.
  for (const file of [options.json, options.html]) if (file) await appendFile(file, "");
  const chosen = scenarios.filter((s) => wanted.includes(s.name));
  const withPeers = !options["no-peers"] && chosen.some((s) => s.usesPeers);
  if (withPeers) installPeers();
  const work = await mkdtemp(join(tmpdir(), "ckpt-bench-"));
  removeOnSignal(work);
  const progress = (text: string) =>
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  const candidates = everyone.filter((c) => c.kind !== "peer" || withPeers);
  progress("probing contestants");
  const contestants = await probe(candidates, work);
  const run: Run = {
    quick: options.quick,
    rounds,
    seed,
    contestants,
    progress,
    directory: () => mkdtemp(join(work, "d-")),
    child: childRunner(options.profile),
  };
  const results: ScenarioResult[] = [];
  try {
    for (const scenario of chosen) {
      const result = await profiled(options.profile, scenario.name, () => scenario.run(run));
      results.push(result);
      progress("");
      console.log(table(result));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  for (const missing of contestants.absent) console.log(`absent: ${missing.name} (${missing.absent})`);
  const report: Report = {
    ...circumstances(),
    quick: run.quick,
    rounds: run.rounds,
    seed: run.seed,
    absent: contestants.absent,
    results,
  };
  if (options.json) await writeFile(options.json, JSON.stringify(report, null, 2));
  if (options.html) await writeFile(options.html, html(report));
  if (options.keep) await keep(report, join(KEPT, report.date));
  const missed = results.flatMap((r) => r.bars).filter((b) => !b.met).length;
  console.log(`\n${results.flatMap((r) => r.bars).length - missed} bars met, ${missed} missed`);
}

await main();
