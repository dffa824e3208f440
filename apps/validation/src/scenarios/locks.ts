import { setTimeout as sleep } from "node:timers/promises";
import { DiskStore } from "@ckpt/disk";
import { isCkptError } from "@ckpt/errors";
import { DriverLedger } from "../process/driver-ledger.js";
import { Server, startWorker } from "../process/drivers.js";
import { type Context, outcome, type Scenario } from "../scenario.js";

const AGENT = "w0-a";
const WITHOUT: NodeJS.ProcessEnv = { CKPT_NO_OS_LOCKS: "1" };
const WAYS: readonly { name: string; holder: NodeJS.ProcessEnv; taker: NodeJS.ProcessEnv }[] = [
  { name: "OS locks", holder: {}, taker: {} },
  { name: "no OS locks", holder: WITHOUT, taker: WITHOUT },
  { name: "holder with, taker without", holder: {}, taker: WITHOUT },
  { name: "holder without, taker with", holder: WITHOUT, taker: {} },
];

/** Tries to take the agent in this process, which has OS locks or not; the holder that it is told of, or how it ended. */
async function take(directory: string, env: NodeJS.ProcessEnv): Promise<Record<string, unknown> | "taken"> {
  const former = process.env.CKPT_NO_OS_LOCKS;
  if (env.CKPT_NO_OS_LOCKS === undefined) delete process.env.CKPT_NO_OS_LOCKS;
  else process.env.CKPT_NO_OS_LOCKS = env.CKPT_NO_OS_LOCKS;
  const store = new DiskStore(directory);
  try {
    await (await store.acquire(AGENT)).release();
    return "taken";
  } catch (error) {
    if (!isCkptError(error, "CKPT_LOCKED")) throw error;
    return (error.details.holder ?? {}) as Record<string, unknown>;
  } finally {
    await store.close();
    if (former === undefined) delete process.env.CKPT_NO_OS_LOCKS;
    else process.env.CKPT_NO_OS_LOCKS = former;
  }
}

async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; !condition() && Date.now() < end; ) await sleep(10);
  return condition();
}

interface Found {
  readonly failures: string[];
  readonly freeAfterMs: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly wrong: number;
}

/** A holder that works, is paused, wakes, goes on and is killed; somebody else asks for its agent all the while. */
async function live(context: Context, way: (typeof WAYS)[number], server: Server): Promise<Found> {
  const directory = await context.directory();
  const ledger = new DriverLedger();
  const failures: string[] = [];
  const fail = (what: string) => failures.push(`${way.name}: ${what}`);
  const holder = startWorker(context.driver, ledger, [directory, 1_000_000, 0, 1], way.holder);
  if (!(await until(() => ledger.acknowledged > 10, 20_000))) fail("the holder did not begin to save");
  const expectHeld = async (when: string) => {
    const told = await take(directory, way.taker);
    if (told === "taken") fail(`${when}, its agent was taken from it`);
    else if (told.pid !== holder.pid || typeof told.host !== "string" || typeof told.since !== "string")
      fail(`${when}, the second one was told ${JSON.stringify(told)} of a holder with pid ${holder.pid}`);
  };
  await expectHeld("while it ran");
  holder.kill("SIGSTOP");
  const pauseMs = context.short ? 3_000 : 60_000;
  for (const end = Date.now() + pauseMs; Date.now() < end; await sleep(pauseMs / 6))
    await expectHeld("while paused");
  const before = ledger.acknowledged;
  const errors = ledger.errors.length;
  holder.kill("SIGCONT");
  if (!(await until(() => ledger.acknowledged > before + 20, 20_000)))
    fail("after its pause, it did not go on");
  const harmed = ledger.errors.slice(errors).filter((line) => /LOCKED|FENCED/.test(line));
  if (harmed.length > 0) fail(`after its pause it was told ${harmed[0]}`);
  holder.kill("SIGKILL");
  const killed = performance.now();
  let freeAfterMs = Number.POSITIVE_INFINITY;
  while (performance.now() - killed < 10_000 && freeAfterMs === Number.POSITIVE_INFINITY)
    if ((await take(directory, way.taker)) === "taken") freeAfterMs = Math.round(performance.now() - killed);
  if (freeAfterMs > 1000) fail(`its agent was free ${freeAfterMs} ms after kill -9`);
  await holder.ended;
  const { lost, wrong } = ledger.check(await server.ask(directory));
  failures.push(...[...lost, ...wrong].map((line) => `${way.name}: ${line}`));
  return { failures, freeAfterMs, acknowledged: ledger.acknowledged, lost: lost.length, wrong: wrong.length };
}

export const locks: Scenario = {
  name: "locks",
  does: "a holder is asked for its agent while it runs, while it is stopped, and after kill -9; with OS locks, without, and mixed.",
  proves:
    "a paused holder keeps its agent and goes on unharmed, others learn who it is, and a dead one's agent is free within a second.",
  async run(context) {
    const server = new Server(context.driver);
    try {
      const found: Found[] = [];
      if (context.short) for (const way of WAYS.slice(0, 2)) found.push(await live(context, way, server));
      else
        for (const way of WAYS) {
          context.progress(way.name);
          found.push(await live(context, way, server));
        }
      const sum = (of: (one: Found) => number) => found.reduce((total, one) => total + of(one), 0);
      return outcome(
        {
          kills: found.length,
          acknowledged: sum((f) => f.acknowledged),
          lost: sum((f) => f.lost),
          wrong: sum((f) => f.wrong),
        },
        found.flatMap(({ failures }) => failures),
        { notes: [`free after kill -9 in ${found.map(({ freeAfterMs }) => freeAfterMs).join(", ")} ms`] },
      );
    } finally {
      server.close();
    }
  },
};
