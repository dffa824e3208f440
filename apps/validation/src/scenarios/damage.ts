import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DiskStore } from "@ckpt/disk";
import { damaged } from "../process/damage.js";
import { DriverLedger } from "../process/driver-ledger.js";
import { startWorker } from "../process/drivers.js";
import { type Image, readImage, writeImage } from "../process/image.js";
import { seeded } from "../process/random.js";
import { type Context, outcome, type Scenario } from "../scenario.js";

type Known = ReadonlyMap<
  string,
  { readonly agentId: string; readonly hash: string; readonly sequence: number }
>;

/** The highest sequence of each agent that a recorded head names: what lies above it cannot be missed. */
function recordedIn(image: Image): Map<string, number> {
  const recorded = new Map<string, number>();
  for (const [name, bytes] of image) {
    if (!/^heads\/[^/]+\.json$/.test(name)) continue;
    const { segments } = JSON.parse(bytes.toString().split("\n")[0] as string) as {
      segments: { agents: Record<string, [number, number]> }[];
    };
    for (const { agents } of segments)
      for (const [agentId, [, last]] of Object.entries(agents))
        recorded.set(agentId, Math.max(last, recorded.get(agentId) ?? 0));
  }
  return recorded;
}

/** A history written by real processes, one of them killed, and an older copy of its files. */
async function history(
  context: Context,
): Promise<{ image: Image; older: Image; known: Known; above: ReadonlySet<string> }> {
  const directory = join(await context.directory(), "store");
  const ledger = new DriverLedger();
  for (const start of [0, 1]) await startWorker(context.driver, ledger, [directory, 24, start, 2]).ended;
  const third = startWorker(context.driver, ledger, [directory, 1_000_000, 1000, 2]);
  const reach = async (acknowledged: number) => {
    while (ledger.acknowledged < acknowledged) await sleep(2);
  };
  const before = ledger.acknowledged;
  await reach(before + 20);
  const older = await readImage(directory);
  await reach(before + 40);
  // A head is recorded at most one second after a save. Paused meanwhile, it has not made hundreds more by then.
  third.kill("SIGSTOP");
  await sleep(1100);
  const heads = () => readdirSync(join(directory, "heads")).filter((name) => name.endsWith(".json")).length;
  const closed = heads();
  third.kill("SIGCONT");
  while (heads() === closed) await sleep(1);
  await reach(ledger.acknowledged + 10);
  third.kill("SIGKILL");
  await third.ended;
  const known = new Map<string, { agentId: string; hash: string; sequence: number }>();
  const store = new DiskStore(directory);
  for (const agentId of await store.agents())
    for (const header of await store.list(agentId)) {
      if ((await store.load(agentId, header.id)).hash !== header.stateHash)
        throw new Error(`${header.id} is not what its header says`);
      known.set(header.id, { agentId, hash: header.stateHash, sequence: header.sequence });
    }
  await store.close();
  const image = await readImage(directory);
  const recorded = recordedIn(image);
  const above = new Set(
    [...known].filter(([, k]) => k.sequence > (recorded.get(k.agentId) ?? 0)).map(([id]) => id),
  );
  return { image, older, known, above };
}

/** Opens a damaged store and sorts what became of each checkpoint: intact, named as lost, silently lost, or wrong. */
async function examine(
  directory: string,
  known: Known,
): Promise<{ wrong: string[]; silent: string[]; lost: number }> {
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
  return { wrong, silent: unreadable.filter((id) => !named.has(id)), lost: unreadable.length };
}

export const damage: Scenario = {
  name: "damage",
  does: "flips bits, truncates, zeroes, duplicates, swaps, deletes and rolls back files of a store at rest, then opens it.",
  proves: "no wrong state comes back, and every checkpoint that is lost is named by verify.",
  async run(context) {
    const random = seeded(context.seed);
    context.progress("writing a history");
    const { image, older, known, above } = await history(context);
    const target = join(await context.directory(), "store");
    const failures: string[] = [];
    const counts = { damages: 0, wrong: 0, silent: 0 };
    let [lostAndNamed, unrecorded] = [0, 0];
    const wanted = context.short ? 60 : 3000;
    for (let n = 0; n < wanted; n += 1) {
      if (n % 20 === 0) context.progress(`${n}/${wanted} damages`);
      const { image: broken, what } = damaged(image, older, random);
      await writeImage(broken, target);
      try {
        const found = await examine(target, known);
        counts.wrong += found.wrong.length;
        const silent = found.silent.filter((id) => !above.has(id));
        counts.silent += silent.length;
        unrecorded += found.silent.length - silent.length;
        lostAndNamed += found.lost - found.silent.length;
        failures.push(...found.wrong.map((f) => `seed ${context.seed}, ${what}: ${f}`));
        if (silent.length > 0)
          failures.push(
            `seed ${context.seed}, ${what}: silently lost ${silent.slice(0, 3).join(", ")} (${silent.length})`,
          );
      } catch (error) {
        failures.push(
          `seed ${context.seed}, ${what}: the store could not be opened: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      counts.damages += 1;
    }
    const notes = [
      `${known.size} checkpoints, damaged ${counts.damages} times: ${lostAndNamed} losses named, ${unrecorded} that lay above the recorded head`,
    ];
    return outcome(counts, failures, { notes });
  },
};
