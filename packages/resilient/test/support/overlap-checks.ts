import { setImmediate } from "node:timers/promises";
import type { Live, World } from "./overlap-world.js";

/** Looks at each agent once all calls have settled: what is wrong joins `world.wrong`. Closes the managers. */
export async function checkAtRest(world: World): Promise<void> {
  for (const live of world.lives) await checkAgent(world, live);
  await Promise.all(world.lives.map(({ manager }) => manager.close()));
}

async function checkAgent({ setting, store, wrong }: World, live: Live): Promise<void> {
  const { manager } = live;
  const stored = await store.agent(manager.agentId);
  if (stored === undefined) return;
  const line = await manager.lineage();
  const [head] = line;
  const ids = new Set((await manager.getAll()).map(({ id }) => id));
  const keepsAll = setting.maxCheckpoints === 0 && setting.seed % 3 === 0;
  if (keepsAll) for (const id of live.savedEvents) if (!ids.has(id)) wrong.push(`saved, not there: ${id}`);
  for (const id of ids) if (!live.savedEvents.includes(id)) wrong.push(`no event saved for ${id}`);
  if (head !== undefined && live.tainted === undefined) {
    const { n } = await head.data();
    if (n !== live.state.n)
      wrong.push(`${manager.agentId}: head ${head.id} is ${n}, live is ${live.state.n}`);
  }
  if (keepsAll && !setting.failingCommits)
    for (const { id } of live.line)
      if (!line.some((each) => each.id === id)) wrong.push(`${id} is not on the head's line`);
  if (!setting.failingApply && live.told !== live.restored)
    wrong.push(`${manager.agentId}: ${live.restored} restores, told ${live.told}`);
  await checkNothingLeft(live, wrong);
  const undo = stored.notes["ckpt.undo"] as { checkpointId?: string } | undefined;
  if (undo?.checkpointId != null && !ids.has(undo.checkpointId))
    wrong.push(`undo leads to ${undo.checkpointId}, which is gone`);
  const next = await manager.createCheckpoint();
  if (next.parentId !== stored.headId)
    wrong.push(`${next.id} is a child of ${next.parentId}, the head was ${stored.headId}`);
}

/** What is entered for the time of a call has to be gone with it. */
async function checkNothingLeft({ manager }: Live, wrong: string[]): Promise<void> {
  const { restores, pruner } = manager as unknown as {
    restores: { inTurn(signal: undefined, work: () => Promise<boolean>): Promise<boolean> };
    pruner: { sparedIds: Iterable<string> };
  };
  const isNext = await Promise.race([restores.inTurn(undefined, async () => true), setImmediate(false)]);
  if (!isNext) wrong.push("a restore or capture is never over");
  if ([...pruner.sparedIds].length > 0) wrong.push(`spared for ever: ${[...pruner.sparedIds]}`);
}
