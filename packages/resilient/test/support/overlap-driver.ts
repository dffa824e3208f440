import { perform } from "./overlap-calls.js";
import { checkAtRest } from "./overlap-checks.js";
import type { Op, Setting } from "./overlap-ops.js";
import { World } from "./overlap-world.js";
import { turn } from "./slow-store.js";

const PATIENCE_MS = 3_000;

/** Runs overlapping calls, and resolves to what is wrong when all have settled. */
export async function runOps(
  setting: Setting,
  ops: readonly Op[],
  log: (line: string) => void = () => {},
): Promise<string[]> {
  const world = new World(setting, perform, log);
  const { wrong } = world;
  const running = new Map<string, Promise<unknown>>();
  let closing: Promise<void>[] = [];
  for (const [i, op] of ops.entries()) {
    for (let k = 0; k < op.hops; k++) await Promise.resolve();
    for (let k = 0; k < op.turns; k++) await turn();
    if (op.kind !== "close") start(world, `${i} ${op.kind} ${"abc"[op.agent]}`, op, running);
    else if (closing.length === 0)
      closing = world.lives.map(({ manager }) => manager.close({ timeoutMs: 100 }));
  }
  if (!(await settle([...running.values(), ...closing])))
    return [...wrong, `hangs: ${[...running.keys()].join(", ")}`];
  world.isOver = true;
  world.store.isHealed = true;
  if (closing.length === 0) await checkAtRest(world);
  return wrong;
}

function start(world: World, name: string, op: Op, running: Map<string, Promise<unknown>>): void {
  const signal = op.abortAfter < 0 ? undefined : abortedAfter(op.abortAfter);
  world.log(`call ${name} ${signal ? "(signal)" : ""}`);
  const call = perform(world, op, signal);
  running.set(name, call);
  call.then(
    () => {
      world.log(`done ${name}`);
      running.delete(name);
    },
    (error: { code?: string; message: string }) => {
      world.log(`failed ${name}: ${error.code} ${error.message}`);
      running.delete(name);
      if (error.code === undefined || !error.code.startsWith("CKPT_"))
        world.wrong.push(`${name}: ${error.message}`);
    },
  );
}

function abortedAfter(turns: number): AbortSignal {
  const controller = new AbortController();
  void (async () => {
    for (let k = 0; k < turns; k++) await turn();
    controller.abort();
  })();
  return controller.signal;
}

/** Whether all of it settles in time. */
async function settle(calls: readonly Promise<unknown>[]): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, false);
  });
  const isSettled = await Promise.race([Promise.allSettled(calls).then(() => true), late]);
  clearTimeout(timer);
  return isSettled;
}
