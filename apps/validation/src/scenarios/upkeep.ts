import { setTimeout as sleep } from "node:timers/promises";
import { DiskStore } from "@ckpt/disk";
import { DriverLedger } from "../process/driver-ledger.js";
import { Server, startWorker, type Worker } from "../process/drivers.js";
import { seeded } from "../process/random.js";
import { startTender, type TenderLog } from "../process/tenders.js";
import { outcome, type Scenario } from "../scenario.js";

const WRITERS = 2;
const DIRECTORIES = 5;
const READS = 40;
/** One in so many calls fails below the second tender. */
const FAILS_EVERY = 150;

/** Maintenance by other processes beside saves: what must never matter to them. */
export const upkeep: Scenario = {
  name: "upkeep",
  does: "two writers, while two other processes verify, repair, compact and read all the time, one of them on a file system that fails now and then; each is killed now and then.",
  proves:
    "nothing acknowledged is lost by maintenance that fails or dies; what is whole is never called lost; errors are typed.",
  async run(context) {
    const random = seeded(context.seed);
    const failures: string[] = [];
    const counts = { reads: 0, kills: 0, acknowledged: 0, lost: 0, wrong: 0 };
    const tasks = { done: 0, refused: 0 };
    const rounds = context.short ? 1 : DIRECTORIES;
    for (let round = 0; round < rounds && failures.length < 20; round += 1) {
      const directory = await context.directory();
      const ledger = new DriverLedger();
      const server = new Server(context.driver);
      const logs: TenderLog[] = [];
      let lives = 0;
      const write = (w: number): Worker =>
        startWorker(context.driver, ledger, [directory, 1_000_000, lives++ * 100_000 * WRITERS + w, WRITERS]);
      const tend = (every: number): Worker => {
        const { worker, log } = startTender(context.tender, directory, context.seed + 1_000 * lives++, every);
        logs.push(log);
        return worker;
      };
      const launch = [() => write(0), () => write(1), () => tend(0), () => tend(FAILS_EVERY)];
      const processes = launch.slice(0, WRITERS).map((start) => start());
      await sleep(1000);
      processes.push(...launch.slice(WRITERS).map((start) => start()));
      const where = (read: number) => `seed ${context.seed}, directory ${round + 1}, read ${read}`;
      const check = async (read: number) => {
        const acknowledged = ledger.acknowledgedSoFar();
        const found = ledger.check(await server.ask(directory), acknowledged);
        counts.reads += 1;
        counts.lost += found.lost.length;
        // A line about a save that was just read may still be in the pipe: only the last check, when all have ended, tells.
        const wrong = read > reads ? found.wrong : [];
        counts.wrong += wrong.length;
        failures.push(...[...found.lost, ...wrong].map((f) => `${where(read)}: ${f}`));
      };
      const reads = context.short ? 5 : READS;
      for (let read = 1; read <= reads; read += 1) {
        context.progress(
          `directory ${round + 1}/${rounds}, read ${read}/${reads}, ${ledger.acknowledged} acknowledged`,
        );
        await sleep(500);
        await check(read);
        if (random() > 0.3) continue;
        const victim = Math.floor(random() * processes.length);
        processes[victim]?.kill("SIGKILL");
        await processes[victim]?.ended;
        counts.kills += 1;
        processes[victim] = launch[victim]!();
      }
      for (const each of processes) each.kill("SIGKILL");
      await Promise.all(processes.map(({ ended }) => ended));
      await check(reads + 1);
      server.close();
      counts.acknowledged += ledger.acknowledged;
      for (const log of logs) {
        failures.push(...log.failures.map((f) => `${where(reads)}: ${f}`));
        tasks.done += log.done;
        tasks.refused += log.refused;
      }
      failures.push(
        ...(await lostIn(directory)).map((id) => `${where(reads)}: at rest, ${id} is called lost`),
      );
    }
    const notes = [
      `${tasks.done} tasks of maintenance were done, ${tasks.refused} rejected with an error of their own`,
    ];
    return outcome(counts, failures, { notes });
  },
};

/** Checkpoints that `verify` calls lost when nobody else is at it. */
async function lostIn(directory: string): Promise<string[]> {
  const store = new DiskStore(directory);
  const lost: string[] = [];
  for await (const { affectedIds } of store.verify()) lost.push(...affectedIds);
  await store.close();
  return lost;
}
