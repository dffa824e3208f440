import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { DriverLedger } from "../process/driver-ledger.js";
import { Server, startWorker } from "../process/drivers.js";
import { seeded } from "../process/random.js";
import { outcome, type Picture, type Scenario } from "../scenario.js";

const WRITERS = 3;
const MOST_FILES = 400;

/** One directory kept alive through many cycles: writers with eight or more agents between them, killed at random moments. */
export const killLoop: Scenario = {
  name: "kill-loop",
  does: "kill -9 of several writers at random moments, again and again in one directory, reopening after each.",
  proves:
    "no acknowledged save is lost, nothing wrong comes back, every reopen succeeds, and litter stays bounded.",
  async run(context) {
    const random = seeded(context.seed);
    const directory = await context.directory();
    const ledger = new DriverLedger();
    const server = new Server(context.driver);
    const failures: string[] = [];
    const points: Picture["points"][number][] = [];
    const wanted = context.short ? 4 : 200;
    const until = Date.now() + (context.short ? 20_000 : Math.max(context.budgetMs, 60_000));
    let [kills, lost, wrong, start, files] = [0, 0, 0, 0, 0];
    for (let cycle = 0; cycle < wanted && Date.now() < until; cycle += 1) {
      context.progress(`cycle ${cycle + 1}/${wanted}, ${kills} kills, ${ledger.acknowledged} acknowledged`);
      const workers = Array.from({ length: WRITERS }, (_, w) =>
        startWorker(context.driver, ledger, [directory, 1_000_000, start + w, WRITERS]),
      );
      const enough = ledger.acknowledged + 1 + Math.floor(random() * 80 * WRITERS);
      const patience = Date.now() + 20_000;
      while (ledger.acknowledged < enough && Date.now() < patience) await sleep(5);
      await sleep(random() * 20);
      for (const worker of workers) worker.kill("SIGKILL");
      await Promise.all(workers.map((w) => w.ended));
      kills += WRITERS;
      start += 300_000;
      const began = Date.now();
      const check = ledger.check(await server.ask(directory));
      points.push({ x: cycle, y: Date.now() - began });
      lost += check.lost.length;
      wrong += check.wrong.length;
      failures.push(
        ...[...check.lost, ...check.wrong].map((f) => `seed ${context.seed}, cycle ${cycle}: ${f}`),
      );
      if (failures.length > 20) break;
      files = (await readdir(directory, { recursive: true })).length;
    }
    server.close();
    if (files > MOST_FILES) failures.push(`${files} files and directories after ${kills} kills`);
    const surprising = ledger.errors.filter((e) => !e.startsWith("ERR close"));
    failures.push(...surprising.slice(0, 10).map((e) => `a driver printed: ${e}`));
    const pictures = [
      { title: "time to open and restore after each cycle", xLabel: "cycle", yLabel: "ms", points },
    ];
    return outcome({ kills, acknowledged: ledger.acknowledged, lost, wrong }, failures, {
      pictures,
      notes: [`${files} files at the end`],
    });
  },
};
