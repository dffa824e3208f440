import { setTimeout as sleep } from "node:timers/promises";
import { DriverLedger } from "../process/driver-ledger.js";
import { Server, startWorker } from "../process/drivers.js";
import { SmallDisk } from "../process/tmpfs.js";
import { type Context, notRun, outcome, type Scenario } from "../scenario.js";

interface Shortage {
  readonly name: string;
  readonly sizeKib: number;
  readonly inodes?: number;
  readonly relief: string;
}

const PAGE_KIB = 4;

/** Disks that fill up at different pages, and disks that run out of inodes. */
function shortages(short: boolean): Shortage[] {
  const pages = short ? 2 : 20;
  const full = Array.from({ length: pages }, (_, i) => ({
    name: `full at ${600 + i * PAGE_KIB} KiB`,
    sizeKib: 600 + i * PAGE_KIB,
    relief: "size=1g",
  }));
  const inodes = Array.from({ length: short ? 1 : 6 }, (_, i) => ({
    name: `${8 + i * 3} inodes`,
    sizeKib: 65_536,
    inodes: 8 + i * 3,
    relief: "nr_inodes=10000",
  }));
  return [...full, ...inodes];
}

async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (!condition() && Date.now() < end) await sleep(20);
  return condition();
}

async function runOut(
  context: Context,
  shortage: Shortage,
  server: Server,
): Promise<{ failures: string[]; acknowledged: number; lost: number; wrong: number } | string> {
  const disk = SmallDisk.mount(shortage);
  if (!(disk instanceof SmallDisk)) return disk.unavailable;
  const ledger = new DriverLedger();
  const failures: string[] = [];
  let [lost, wrong] = [0, 0];
  const check = async (when: string) => {
    const found = ledger.check(await server.ask(disk.path));
    lost += found.lost.length;
    wrong += found.wrong.length;
    failures.push(...[...found.lost, ...found.wrong].map((f) => `${shortage.name}, ${when}: ${f}`));
  };
  const worker = startWorker(context.driver, ledger, [disk.path, 1_000_000, 0, 1]);
  const refused = () => ledger.errors.some((e) => /^ERR (w|recover)/.test(e));
  if (!(await until(refused, 30_000))) failures.push(`${shortage.name}: the disk never filled up`);
  worker.kill("SIGSTOP");
  await check("while full");
  worker.kill("SIGCONT");
  disk.resize(shortage.relief);
  const before = ledger.acknowledged;
  if (!(await until(() => ledger.acknowledged > before + 20, 30_000)))
    failures.push(`${shortage.name}: saving did not go on by itself once there was space`);
  worker.kill("SIGKILL");
  await worker.ended;
  await check("after space returned");
  disk.unmount();
  return { failures, acknowledged: ledger.acknowledged, lost, wrong };
}

export const fullDisk: Scenario = {
  name: "full-disk",
  does: "fills a small real file system at different pages, or takes its inodes, while a process saves; then gives space back.",
  proves: "nothing acknowledged is lost, old checkpoints stay readable, and saving goes on by itself.",
  async run(context) {
    const server = new Server(context.driver);
    const counts = { diskFullRuns: 0, acknowledged: 0, lost: 0, wrong: 0 };
    const failures: string[] = [];
    const all = shortages(context.short);
    try {
      for (const [i, shortage] of all.entries()) {
        context.progress(`${i + 1}/${all.length} ${shortage.name}`);
        const result = await runOut(context, shortage, server);
        if (typeof result === "string") return notRun(result);
        counts.diskFullRuns += 1;
        counts.acknowledged += result.acknowledged;
        counts.lost += result.lost;
        counts.wrong += result.wrong;
        failures.push(...result.failures);
      }
    } finally {
      server.close();
    }
    return outcome(counts, failures);
  },
};
