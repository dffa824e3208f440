import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { DriverLedger } from "../process/driver-ledger.js";
import { Server, startWorker } from "../process/drivers.js";
import { seeded } from "../process/random.js";
import { outcome, type Picture, type Scenario } from "../scenario.js";

const WRITERS = 2;
const CYCLES = 600;
/** Acknowledged saves in a cycle, over all writers, at most. */
const MOST_SAVES = 200;
const LAST_LIFE_SAVES = 1_500;
/** What may lie in the directory after a life that ends in peace, whatever was killed before it. */
const MOST_FILES = 150;

const filesIn = async (directory: string) => (await readdir(directory, { recursive: true })).length;

/** One directory kept alive through many cycles: two writers with eight agents between them, killed at random moments. */
export const killLoop: Scenario = {
  name: "kill-loop",
  does: "kill -9 of two writers with eight agents at random moments, again and again in one directory, reopening after each; a last life ends in peace.",
  proves:
    "no acknowledged save is lost, nothing wrong comes back, every reopen succeeds, and litter stays bounded.",
  async run(context) {
    const random = seeded(context.seed);
    const directory = await context.directory();
    const ledger = new DriverLedger();
    const server = new Server(context.driver);
    const failures: string[] = [];
    const points: Picture["points"][number][] = [];
    const wanted = context.short ? 4 : context.minutes === undefined ? CYCLES : Number.POSITIVE_INFINITY;
    const until = Date.now() + (context.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
    let [kills, lost, wrong, start, mostFiles] = [0, 0, 0, 0, 0];
    const check = async (cycle: number) => {
      const began = Date.now();
      const found = ledger.check(await server.ask(directory));
      points.push({ x: cycle, y: Date.now() - began });
      lost += found.lost.length;
      wrong += found.wrong.length;
      failures.push(
        ...[...found.lost, ...found.wrong].map((f) => `seed ${context.seed}, cycle ${cycle}: ${f}`),
      );
    };
    for (let cycle = 0; cycle < wanted && Date.now() < until; cycle += 1) {
      context.progress(
        `cycle ${cycle + 1}${Number.isFinite(wanted) ? `/${wanted}` : ""}, ${kills} kills, ${ledger.acknowledged} acknowledged`,
      );
      const workers = Array.from({ length: WRITERS }, (_, w) =>
        startWorker(context.driver, ledger, [directory, 1_000_000, start + w, WRITERS]),
      );
      const enough = ledger.acknowledged + 1 + Math.floor(random() * MOST_SAVES);
      const patience = Date.now() + 20_000;
      while (ledger.acknowledged < enough && Date.now() < patience) await sleep(5);
      await sleep(random() * 20);
      for (const worker of workers) worker.kill("SIGKILL");
      await Promise.all(workers.map((w) => w.ended));
      kills += WRITERS;
      start += 300_000;
      await check(cycle);
      if (failures.length > 20) break;
      mostFiles = Math.max(mostFiles, await filesIn(directory));
    }
    const last = startWorker(context.driver, ledger, [
      directory,
      context.short ? 50 : LAST_LIFE_SAVES,
      start,
      WRITERS,
    ]);
    if ((await last.ended) !== 0) failures.push("the last life did not end well");
    await check(points.length);
    server.close();
    const files = await filesIn(directory);
    if (files > MOST_FILES) failures.push(`${files} files and directories after the last life`);
    const surprising = ledger.errors.filter((e) => !e.startsWith("ERR close"));
    failures.push(...surprising.slice(0, 10).map((e) => `a driver printed: ${e}`));
    const pictures = [
      { title: "time to open and restore after each cycle", xLabel: "cycle", yLabel: "ms", points },
    ];
    return outcome({ kills, acknowledged: ledger.acknowledged, lost, wrong }, failures, {
      pictures,
      notes: [`${mostFiles} files and directories at most, ${files} at the end`],
    });
  },
};
