import { checkpointGroup, restoreGroup } from "@ckpt/resilient";
import type { Op } from "./overlap-ops.js";
import type { Live, World } from "./overlap-world.js";
import { turn } from "./slow-store.js";

/** Makes one call. */
export function perform(world: World, op: Op, signal?: AbortSignal): Promise<unknown> {
  const { lives, groups } = world;
  const live = lives[op.agent]!;
  const { manager } = live;
  const target = live.ids[op.pick % Math.max(1, live.ids.length)] ?? `${manager.agentId}:1`;
  const members =
    op.variant % 4 === 0 ? [live] : lives.filter((each, i) => each === live || (op.variant >> i) & 1);
  const ordered = op.variant % 2 === 0 ? members : [...members].reverse();
  const managers = ordered.map((each) => each.manager);
  const safety = op.variant % 5 === 0 ? { safety: false } : {};
  switch (op.kind) {
    case "create":
      return create(world, live, signal);
    case "restore":
      return moving([live], () => manager.restoreCheckpoint(target, { signal, ...safety }));
    case "rollback":
      return moving([live], () => manager.rollbackTo(target, { signal }));
    case "undo":
      return moving([live], () => manager.undoRestore({ signal }));
    case "fork":
      return moving([live], async () => {
        const forked = await manager.fork(target, { signal });
        live.ids.push(forked.id);
        return forked;
      });
    case "guard":
      return moving([live], () => manager.guard("op", () => guarded(world, op, live), { signal }));
    case "group":
      return group(world, members, managers, signal);
    case "restoreGroup": {
      const groupId = groups[op.pick % Math.max(1, groups.length)] ?? "g";
      return moving(members, () => restoreGroup(managers, groupId, { signal }));
    }
    case "recover":
      return moving([live], () => manager.recover({ signal }));
    case "retention":
      return manager.applyRetention();
    case "pin":
      return manager.pin(target, { signal });
    default:
      return Promise.resolve();
  }
}

async function guarded(world: World, op: Op, live: Live): Promise<void> {
  const { variant } = op;
  const quietly = (call: Promise<unknown>) => call.catch(() => {});
  if (variant % 3 === 0) await turn();
  if (variant % 5 !== 0) await quietly(create(world, live, undefined));
  if (variant % 7 === 0) await quietly(perform(world, { ...op, kind: "restore", variant: 1 }));
  if (variant % 11 === 0) await quietly(perform(world, { ...op, variant: variant % 2 === 0 ? 6 : 7 }));
  if (variant % 2 === 0) throw new Error("guarded");
}

/** One with a signal leaves the live state as it is: it may not be saved. */
async function create(world: World, live: Live, signal: AbortSignal | undefined): Promise<void> {
  const isMutating = signal === undefined;
  if (isMutating) live.state = { n: ++world.counter };
  const n = world.counter;
  const isCalm = live.moving === 0;
  const { line, tainted } = live;
  try {
    const saved = await live.manager.createCheckpoint("routine", {}, { signal });
    live.ids.push(saved.id);
    if (isCalm && line === live.line) line.push({ id: saved.id });
    world.log(`created ${saved.id} <- ${saved.parentId} (asked at ${n})`);
    // Whatever was not saved before is, unless someone changed it meanwhile.
    if (isCalm && live.moving === 0 && live.tainted === tainted) live.tainted = undefined;
  } catch (error) {
    if (isMutating) live.tainted = `create ${n}: ${error}`;
    throw error;
  }
}

async function group(
  world: World,
  members: readonly Live[],
  managers: readonly Live["manager"][],
  signal: AbortSignal | undefined,
): Promise<void> {
  const isMutating = signal === undefined;
  if (isMutating) for (const each of members) each.state = { n: ++world.counter };
  const n = world.counter;
  try {
    const saved = await checkpointGroup(managers, "g", { signal });
    world.groups.push(saved.groupId);
    for (const { agentId, id } of saved.members)
      members.find(({ manager }) => manager.agentId === agentId)!.ids.push(id);
    world.log(`group ${JSON.stringify(saved.members)} (asked at ${n})`);
  } catch (error) {
    if (isMutating) for (const each of members) each.tainted = `group ${n}: ${error}`;
    throw error;
  }
}

/** A call that moves heads, with what its outcome says of the agents. */
async function moving<T>(moved: readonly Live[], call: () => Promise<T>): Promise<T> {
  for (const live of moved) {
    live.moving++;
    live.line = [];
  }
  try {
    const result = await call();
    const isRestored = result !== undefined && (result as { checkpoint?: unknown }).checkpoint !== null;
    if (isRestored) for (const live of moved) live.restored++;
    return result;
  } catch (error) {
    noteFailure(moved, error);
    throw error;
  } finally {
    for (const live of moved) {
      live.moving--;
      live.line = [];
    }
  }
}

interface Failure {
  readonly code: string;
  readonly details?: { readonly putBack?: boolean; readonly restored?: boolean };
}

function noteFailure(moved: readonly Live[], error: unknown): void {
  const { code, details } = error as Failure;
  const isUndone = code === "CKPT_GUARD_FAILED" && details?.restored === true;
  const isLeft = code === "CKPT_GUARD_FAILED" && details?.restored !== true;
  const isHalf = code === "CKPT_APPLY_FAILED" && details?.putBack !== true;
  for (const live of moved) {
    if (isUndone) live.restored++;
    if (isLeft || isHalf) live.tainted = `${code}: ${error}`;
  }
}
