import { setTimeout as sleep } from "node:timers/promises";
import { LANES } from "../driver/states.js";
import { DriverLedger } from "../process/driver-ledger.js";
import { type Answers, Server, startWorker, type Worker } from "../process/drivers.js";
import { seeded } from "../process/random.js";
import { outcome, type Scenario } from "../scenario.js";

/** How many processes write, in so many directories each: a reader opens what half a minute has written, not half an hour. */
const WRITERS = [2, 4];
const DIRECTORIES = 10;
const READS = 26;
const PATIENCE_MS = 60_000;

/** Resolves once a writer that began with the number `first` has had a save of each of its agents acknowledged. */
async function holdsItsAgents(ledger: DriverLedger, writer: number, first: number): Promise<void> {
  const held = () =>
    [...ledger.acknowledgedSoFar()].filter(([key, i]) => key.startsWith(`w${writer}-`) && i >= first).length;
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (held() < LANES) {
    if (performance.now() > giveUpAt)
      throw new Error(`writer ${writer} has not saved in ${PATIENCE_MS / 1000} s`);
    await sleep(20);
  }
}

/** Writers of different agents, readers all the while, kills, and rivals that want agents which are taken. */
export const writersAndReaders: Scenario = {
  name: "writers-readers",
  does: "2 and 4 writing processes and readers in one directory, with kills, and rivals that ask for agents that are held.",
  proves:
    "no reader sees a torn state, no acknowledged save is lost, and an agent never has two committing holders.",
  async run(context) {
    const random = seeded(context.seed);
    const failures: string[] = [];
    const counts = { reads: 0, kills: 0, acknowledged: 0, lost: 0, wrong: 0 };
    let refusedRivals = 0;
    const rounds = context.short ? [2] : Array.from({ length: DIRECTORIES }, () => WRITERS).flat();
    for (const [round, writers] of rounds.entries()) {
      const directory = await context.directory();
      const ledger = new DriverLedger();
      const server = new Server(context.driver);
      /** What came back; whether it was ever tried is known when every writer's last line is here. */
      const seen: { read: number; answers: Answers }[] = [];
      let start = 0;
      const firstOf = new Map<number, number>();
      const launch = (w: number): Worker => {
        firstOf.set(w, start + w);
        return startWorker(context.driver, ledger, [directory, 1_000_000, start + w, writers]);
      };
      const workers = Array.from({ length: writers }, (_, w) => launch(w));
      await sleep(1500);
      const wanted = context.short ? 15 : READS;
      for (let read = 0; read < wanted; read += 1) {
        context.progress(
          `directory ${round + 1}/${rounds.length}, ${writers} writers, read ${read + 1}/${wanted}, ${ledger.acknowledged} acknowledged`,
        );
        const acknowledged = ledger.acknowledgedSoFar();
        const answers = await server.ask(directory);
        const { lost } = ledger.check(answers, acknowledged);
        seen.push({ read, answers });
        counts.reads += 1;
        counts.lost += lost.length;
        failures.push(...lost.map((f) => `seed ${context.seed}, ${writers} writers, read ${read}: ${f}`));
        if (random() < (context.short ? 0.2 : 0.1)) {
          const w = Math.floor(random() * writers);
          workers[w]?.kill("SIGKILL");
          await workers[w]?.ended;
          counts.kills += 1;
          start += writers * 100_000;
          workers[w] = launch(w);
        }
        if (read % 10 === 5) {
          const rival = new DriverLedger();
          const w = Math.floor(random() * writers);
          // Until then they are free, and who asks first gets them.
          await holdsItsAgents(ledger, w, firstOf.get(w) ?? 0);
          await startWorker(context.driver, rival, [directory, 3, start + 50_000 * writers + w, writers])
            .ended;
          if (rival.acknowledged > 0)
            failures.push(
              `seed ${context.seed}, ${writers} writers, read ${read}: a rival committed to an agent of ${w}, which holds it`,
            );
          refusedRivals += rival.errors.filter((e) => e.endsWith("CKPT_LOCKED")).length;
          for (const line of rival.tries) ledger.line(line);
        }
      }
      for (const worker of workers) worker.kill("SIGKILL");
      await Promise.all(workers.map((w) => w.ended));
      for (const { read, answers } of seen) {
        const { wrong } = ledger.check(answers, new Map());
        counts.wrong += wrong.length;
        failures.push(...wrong.map((f) => `seed ${context.seed}, ${writers} writers, read ${read}: ${f}`));
      }
      const last = ledger.check(await server.ask(directory));
      counts.lost += last.lost.length;
      counts.wrong += last.wrong.length;
      failures.push(...last.lost, ...last.wrong);
      counts.acknowledged += ledger.acknowledged;
      server.close();
    }
    return outcome(counts, failures, {
      notes: [`${refusedRivals} attempts of rivals were refused with CKPT_LOCKED`],
    });
  },
};
