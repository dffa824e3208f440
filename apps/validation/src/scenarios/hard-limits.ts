import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DriverLedger } from "../process/driver-ledger.js";
import { Server, startWorker, type Worker } from "../process/drivers.js";
import { SmallDisk } from "../process/tmpfs.js";
import { type Context, notRun, outcome, type Scenario } from "../scenario.js";

/** Something that is taken from a store while a process saves, and given back. */
interface Hardship {
  readonly name: string;
  readonly directory: string;
  /** The user that saves; default: this one. */
  readonly uid?: number;
  /** Why it cannot be run here. */
  readonly because?: string;
  take(): void;
  giveBack(): void;
  end(): void;
}

async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; !condition() && Date.now() < end; ) await sleep(20);
  return condition();
}

const NOBODY = 65_534;

/** A file system that is mounted read-only. */
function readOnly(): Hardship {
  const name = "read-only remount";
  const disk = SmallDisk.mount({ sizeKib: 65_536 });
  if (!(disk instanceof SmallDisk))
    return { name, directory: "", because: disk.unavailable, take() {}, giveBack() {}, end() {} };
  return {
    name,
    directory: join(disk.path, "store"),
    take: () => disk.resize("ro"),
    giveBack: () => disk.resize("rw"),
    end: () => disk.unmount(),
  };
}

/** Directories that may not be written any more. They do not bind root, so that another user has to do the saving. */
function permissions(directory: string, driver: string): Hardship {
  const isRoot = process.getuid?.() === 0;
  const change = (mode: number) => {
    for (const found of readdirSync(directory, { recursive: true, withFileTypes: true }))
      if (found.isDirectory()) chmodSync(join(found.parentPath ?? found.path, found.name), mode);
    chmodSync(directory, mode);
  };
  const hardship = {
    name: "permission change",
    directory,
    take: () => change(0o500),
    giveBack: () => change(0o700),
    end() {},
  };
  if (!isRoot) return hardship;
  chownSync(dirname(directory), NOBODY, NOBODY);
  const probe = spawnSync(
    process.execPath,
    ["-e", `require("node:fs").readFileSync(${JSON.stringify(driver)})`],
    {
      uid: NOBODY,
      gid: NOBODY,
    },
  );
  return probe.status === 0
    ? { ...hardship, uid: NOBODY }
    : { ...hardship, because: "permissions do not bind root, and no other user can read the harness" };
}

interface Found {
  readonly failures: string[];
  readonly acknowledged: number;
  readonly lost: number;
  readonly wrong: number;
}

async function endure(context: Context, hardship: Hardship, server: Server): Promise<Found> {
  const { name, directory } = hardship;
  const ledger = new DriverLedger();
  const failures: string[] = [];
  let [lost, wrong] = [0, 0];
  const check = async (when: string) => {
    const found = ledger.check(await server.ask(directory));
    lost += found.lost.length;
    wrong += found.wrong.length;
    failures.push(...[...found.lost, ...found.wrong].map((line) => `${name}, ${when}: ${line}`));
  };
  const start = (first: number): Worker =>
    startWorker(context.driver, ledger, [directory, 1_000_000, first, 1], {}, hardship.uid);
  const former = start(0);
  if (!(await until(() => ledger.acknowledged > 50, 20_000))) failures.push(`${name}: saving did not begin`);
  former.kill("SIGKILL");
  await former.ended;
  hardship.take();
  const before = ledger.acknowledged;
  const worker = start(1_000_000);
  if (!(await until(() => ledger.errors.some((line) => /^ERR w/.test(line)), 20_000)))
    failures.push(`${name}: no save was refused`);
  await check("while it lasts");
  if (ledger.acknowledged > before)
    failures.push(`${name}: a save was acknowledged that cannot have been written`);
  hardship.giveBack();
  if (!(await until(() => ledger.acknowledged > before + 20, 30_000)))
    failures.push(`${name}: saving did not go on by itself afterwards`);
  worker.kill("SIGKILL");
  await worker.ended;
  await check("afterwards");
  const untyped = ledger.errors.find((line) => /^ERR \S+ \d+ (?!CKPT_|DEGRADED)/.test(line));
  if (untyped !== undefined) failures.push(`${name}: an untyped error: ${untyped}`);
  return { failures, acknowledged: ledger.acknowledged, lost, wrong };
}

/** Processes that may open only a few files: they save, or are refused with a typed error, and what they had acknowledged is there. */
async function fewDescriptors(context: Context, most: number, server: Server): Promise<Found> {
  const directory = join(await context.directory(), "store");
  const ledger = new DriverLedger();
  const args = [context.driver, "work", directory, "40", "0", "1"].map((arg) => `'${arg}'`).join(" ");
  const child = spawnSync("/bin/sh", ["-c", `ulimit -n ${most}; exec '${process.execPath}' ${args}`], {
    encoding: "utf8",
    timeout: 60_000,
  });
  for (const line of child.stdout.split("\n")) ledger.line(line);
  const failures: string[] = [];
  if (child.status === null) failures.push(`${most} descriptors: the process ended with ${child.signal}`);
  if (/UNKNOWN_|ERR \S+ \d+ E[A-Z]+$/m.test(child.stdout))
    failures.push(`${most} descriptors: an untyped error: ${/ERR.*/.exec(child.stdout)?.[0]}`);
  const { lost, wrong } = ledger.check(ledger.acknowledged > 0 ? await server.ask(directory) : {});
  failures.push(...[...lost, ...wrong].map((line) => `${most} descriptors: ${line}`));
  return { failures, acknowledged: ledger.acknowledged, lost: lost.length, wrong: wrong.length };
}

export const hardLimits: Scenario = {
  name: "hard-limits",
  does: "takes the right to write from a store in use (read-only remount, permissions), and runs it with few file descriptors.",
  proves:
    "saves are refused with typed errors, nothing acknowledged is lost, reading goes on, and saving goes on by itself afterwards.",
  async run(context) {
    if (process.platform === "win32") return notRun("it needs a POSIX system");
    const server = new Server(context.driver);
    const notes: string[] = [];
    const found: Found[] = [];
    try {
      for (const hardship of [
        readOnly(),
        permissions(join(await context.directory(), "store"), context.driver),
      ]) {
        context.progress(hardship.name);
        if (hardship.because === undefined) found.push(await endure(context, hardship, server));
        else notes.push(`${hardship.name} not run, because ${hardship.because}`);
        hardship.end();
      }
      for (const most of context.short ? [28] : [22, 24, 26, 28, 30, 34, 40]) {
        context.progress(`${most} descriptors`);
        found.push(await fewDescriptors(context, most, server));
      }
    } finally {
      server.close();
    }
    const sum = (of: (one: Found) => number) => found.reduce((total, one) => total + of(one), 0);
    return outcome(
      { acknowledged: sum((f) => f.acknowledged), lost: sum((f) => f.lost), wrong: sum((f) => f.wrong) },
      found.flatMap(({ failures }) => failures),
      { notes },
    );
  },
};
