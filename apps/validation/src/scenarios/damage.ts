import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DiskStore } from "@ckpt/disk";
import { damaged } from "../process/damage.js";
import { DriverLedger } from "../process/driver-ledger.js";
import { startWorker } from "../process/drivers.js";
import { type Image, readImage, writeImage } from "../process/image.js";
import { seeded } from "../process/random.js";
import { type Context, outcome, type Scenario } from "../scenario.js";

type Known = ReadonlyMap<string, { readonly agentId: string; readonly hash: string }>;

/** A history written by real processes, one of them killed, and an older copy of its files. */
async function history(context: Context): Promise<{ image: Image; older: Image; known: Known }> {
  const directory = join(await context.directory(), "store");
  const ledger = new DriverLedger();
  for (const start of [0, 1]) await startWorker(context.driver, ledger, [directory, 60, start, 2]).ended;
  const third = startWorker(context.driver, ledger, [directory, 1_000_000, 1000, 2]);
  const before = ledger.acknowledged;
  while (ledger.acknowledged < before + 40) await sleep(10);
  const older = await readImage(directory);
  while (ledger.acknowledged < before + 120) await sleep(10);
  await sleep(1500); // the head is recorded at most one second after a save
  third.kill("SIGKILL");
  await third.ended;
  const known = new Map<string, { agentId: string; hash: string }>();
  const store = new DiskStore(directory);
  for (const agentId of await store.agents())
    for (const header of await store.list(agentId)) {
      if ((await store.load(agentId, header.id)).hash !== header.stateHash)
        throw new Error(`${header.id} is not what its header says`);
      known.set(header.id, { agentId, hash: header.stateHash });
    }
  await store.close();
  return { image: await readImage(directory), older, known };
}

/** Opens a damaged store and sorts what became of each checkpoint: intact, named as lost, silently lost, or wrong. */
async function examine(
  directory: string,
  known: Known,
): Promise<{ wrong: string[]; silent: string[]; named: number }> {
  const store = new DiskStore(directory);
  const unreadable: string[] = [];
  const wrong: string[] = [];
  for (const [id, { agentId, hash }] of known) {
    try {
      if ((await store.load(agentId, id)).hash !== hash) wrong.push(`${id}: another state came back`);
    } catch {
      unreadable.push(id);
    }
  }
  const named = new Set<string>();
  const findings = [];
  for await (const finding of store.verify()) findings.push(finding);
  for (const finding of [...findings, ...store.takeFindings()])
    for (const id of finding.affectedIds) named.add(id);
  await store.close();
  return { wrong, silent: unreadable.filter((id) => !named.has(id)), named: unreadable.length };
}

export const damage: Scenario = {
  name: "damage",
  does: "flips bits, truncates, zeroes, duplicates, swaps, deletes and rolls back files of a store at rest, then opens it.",
  proves: "no wrong state comes back, and every checkpoint that is lost is named by verify.",
  async run(context) {
    const random = seeded(context.seed);
    context.progress("writing a history");
    const { image, older, known } = await history(context);
    const target = join(await context.directory(), "store");
    const failures: string[] = [];
    const counts = { damages: 0, wrong: 0, silent: 0 };
    let lostAndNamed = 0;
    const wanted = context.short ? 60 : 3000;
    for (let n = 0; n < wanted; n += 1) {
      if (n % 20 === 0) context.progress(`${n}/${wanted} damages`);
      const { image: broken, what } = damaged(image, older, random);
      await writeImage(broken, target);
      try {
        const found = await examine(target, known);
        counts.wrong += found.wrong.length;
        counts.silent += found.silent.length;
        lostAndNamed += found.named - found.silent.length;
        failures.push(...found.wrong.map((f) => `seed ${context.seed}, ${what}: ${f}`));
        if (found.silent.length > 0)
          failures.push(
            `seed ${context.seed}, ${what}: silently lost ${found.silent.slice(0, 3).join(", ")} (${found.silent.length})`,
          );
      } catch (error) {
        failures.push(
          `seed ${context.seed}, ${what}: the store could not be opened: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      counts.damages += 1;
    }
    const notes = [
      `${known.size} checkpoints, damaged ${counts.damages} times: ${lostAndNamed} losses, each named`,
    ];
    return outcome(counts, failures, { notes });
  },
};
