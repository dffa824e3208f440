import { rmSync } from "node:fs";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { killAll } from "./process/drivers.js";
import { SmallDisk } from "./process/tmpfs.js";
import { html } from "./report/html.js";
import { junit } from "./report/junit.js";
import { lastLine, lines, type Result } from "./report/summary.js";
import { runScenarios } from "./run.js";
import { scenarios } from "./scenarios/index.js";
import { MUTANTS } from "./sensitivity/mutants/index.js";
import { findStore, STORES } from "./stores.js";

const USAGE = `npm run validate -- [--only a,b] [--parts a,b] [--store NAME|MODULE] [--short] [--seed N] [--minutes N] [--json FILE] [--junit FILE] [--html FILE]
  --store: ${Object.keys(STORES).join(", ")} (default disk), or a module whose default export opens your own on a file system
${scenarios.map((s) => `  ${s.name.padEnd(16)} ${s.does}`).join("\n")}`;

function flags() {
  try {
    return parseArgs({
      options: {
        only: { type: "string" },
        parts: { type: "string" },
        store: { type: "string", default: "disk" },
        short: { type: "boolean", default: false },
        seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
        minutes: { type: "string" },
        json: { type: "string" },
        junit: { type: "string" },
        html: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

const program = (name: string) => join(fileURLToPath(new URL(".", import.meta.url)), name);
const isLive = process.stderr.isTTY;
/** In a log, a line now and then is enough. */
const LOG_EVERY_MS = 5_000;
let loggedAtMs = Number.NEGATIVE_INFINITY;

function progressLine(text: string): void {
  if (isLive) process.stderr.write(`\r\x1b[K${text}`);
  else if (performance.now() - loggedAtMs >= LOG_EVERY_MS) {
    loggedAtMs = performance.now();
    process.stderr.write(`${text}\n`);
  }
}

const ignore = () => undefined;

const directories = new Set<string>();

/** Ctrl-C leaves nothing behind: neither processes nor mounts nor directories. */
function removeOnSignal(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      killAll();
      SmallDisk.unmountAll();
      for (const path of directories) removeNow(path);
      process.exit(128 + constants.signals[signal]);
    });
  }
}

function removeNow(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  } catch (error) {
    console.error(`left behind: ${path} (${(error as Error).message})`);
  }
}

async function makeDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ckpt-validation-"));
  directories.add(path);
  return path;
}

async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  directories.delete(path);
}

const isPart = (part: string): boolean => part !== "" && MUTANTS.some(({ name }) => name.includes(part));

async function main(): Promise<number> {
  const options = flags();
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const names = options.only?.split(",") ?? scenarios.map((s) => s.name);
  const unknown = names.filter((name) => !scenarios.some((s) => s.name === name));
  const seed = options.seed.trim() === "" ? Number.NaN : Number(options.seed);
  const minutes = options.minutes === undefined ? undefined : Number(options.minutes);
  if (unknown.length > 0 || !Number.isSafeInteger(seed) || !(minutes === undefined || minutes > 0)) {
    console.error(
      `${unknown.length > 0 ? `no scenario ${unknown.join(", ")}` : "--seed takes a whole number, --minutes a positive one"}\n${USAGE}`,
    );
    return 2;
  }
  const unusable = await findStore(options.store).then(ignore, (error: Error) => error);
  if (unusable !== undefined) {
    console.error(`${unusable.message}\n${USAGE}`);
    return 2;
  }
  const parts = options.parts?.split(",");
  if (parts !== undefined && !(names.includes("sensitivity") && parts.every(isPart))) {
    console.error(
      `--parts takes parts of names of sensitivity's mutants, and needs sensitivity to run\n${USAGE}`,
    );
    return 2;
  }
  // A place that takes no report is worth knowing before an hour's work.
  for (const file of [options.json, options.junit, options.html]) if (file) await appendFile(file, "");
  removeOnSignal();
  console.error(`seed ${seed}`);
  const results: Result[] = await runScenarios(
    scenarios.filter((s) => names.includes(s.name)),
    {
      seed,
      short: options.short,
      parts,
      minutes,
      driver: program("driver.js"),
      explorer: program("explorer.js"),
      tender: program("tender.js"),
      store: options.store,
      makeDirectory,
      removeDirectory,
      show: progressLine,
      onResult(result) {
        if (isLive) process.stderr.write("\r\x1b[K");
        console.log(lines(result));
      },
    },
  );
  if (options.json)
    await writeFile(
      options.json,
      JSON.stringify(
        results.map(({ scenario, outcome, ms }) => ({ name: scenario.name, ...outcome, ms })),
        null,
        2,
      ),
    );
  if (options.junit) await writeFile(options.junit, junit(results));
  if (options.html) await writeFile(options.html, html(results, seed));
  console.log(lastLine(results));
  return results.some((r) => r.outcome.status === "failed") ? 1 : 0;
}

process.exitCode = await main();
