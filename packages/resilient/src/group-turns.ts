import type { StoreEntry, WritePosition } from "@ckpt/core";
import { invalidArgument } from "./errors.js";
import { kitOf, type ManagerKit } from "./manager-kit.js";
import { RestoresUnderWay } from "./restores-under-way.js";

export type AnyKit = ManagerKit<unknown>;

/** The kits of the managers in a fixed order, so that two groups over the same agents never wait for each other. */
export function kitsOf(managers: readonly object[]): AnyKit[] {
  const kits = managers.map((manager) => {
    const kit = kitOf(manager);
    if (kit === undefined) {
      throw invalidArgument(
        "A group has something that is no ResilientCheckpointManager",
        "Give managers of this package.",
      );
    }
    return kit;
  });
  kits.sort((a, b) => (a.agentId < b.agentId ? -1 : 1));
  const [first] = kits;
  if (first === undefined) throw invalidArgument("A group of no managers", "Give at least one manager.");
  const twice = kits.find((kit, i) => kits[i + 1]?.agentId === kit.agentId);
  if (twice !== undefined) {
    throw invalidArgument(`Agent ${twice.agentId} is in the group twice`, "Give one manager per agent.");
  }
  if (kits.some((kit) => kit.store !== first.store)) {
    throw invalidArgument(
      "The managers of a group do not share a store, so one commit cannot hold them all",
      "Open them on the same directory, or give them the same store object.",
      { agentIds: kits.map((kit) => kit.agentId) },
    );
  }
  return kits;
}

/** Runs one restore of all managers when those before it are over; `ends[i]`: as in `RestoresUnderWay.inTurnOfAll`. */
export function inTurnOfAll<T>(
  kits: readonly AnyKit[],
  signal: AbortSignal | undefined,
  work: (ends: readonly (() => void)[]) => Promise<T>,
): Promise<T> {
  const agents = kits.map((kit) => kit.restores);
  return RestoresUnderWay.inTurnOfAll(agents, signal, work);
}

/**
 * Runs `step` when the changes of all managers called before have settled, and holds up those behind it. The turns are asked for
 * all at once, so that two groups never wait for each other, whatever order they name their managers in. `signal`: as in
 * `WriteQueue.inTurn`.
 */
export async function aloneInAll<T>(
  kits: readonly AnyKit[],
  signal: AbortSignal | undefined,
  step: (positions: readonly WritePosition[]) => Promise<T>,
): Promise<T> {
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const turns: Promise<void>[] = [];
  const arrivals = kits.map(
    (kit) =>
      new Promise<WritePosition>((resolve, reject) => {
        const turn = kit.queue.alone((position) => {
          resolve(position);
          return finished;
        }, signal);
        // A turn that never comes (the agent is held elsewhere) ends the wait for all.
        turns.push(turn.catch(reject));
      }),
  );
  try {
    return await step(await Promise.all(arrivals));
  } finally {
    finish();
    await Promise.all(turns);
  }
}

/** One commit in which every manager's head moves, or none. */
export async function commitAll(
  kits: readonly AnyKit[],
  positions: readonly WritePosition[],
  headIds: readonly string[],
  entries: readonly StoreEntry[],
  signal: AbortSignal | undefined,
): ReturnType<AnyKit["commit"]> {
  const first = kits[0]!;
  let commit: () => ReturnType<AnyKit["commit"]> = () => first.commit(entries, { signal });
  kits.forEach((kit, i) => {
    const inner = commit;
    commit = () => kit.queue.commit(positions[i]!, headIds[i]!, inner);
  });
  return commit();
}

/** Runs `use` with one checkpoint of each manager that retention must leave alone meanwhile. */
export function sparingAll<T>(
  kits: readonly AnyKit[],
  ids: readonly string[],
  use: () => Promise<T>,
): Promise<T> {
  return kits.reduce<() => Promise<T>>((inner, kit, i) => () => kit.pruner.sparing([ids[i]!], inner), use)();
}

/** Has retention leave one checkpoint of each manager, where there is one, alone until the returned function is called. */
export function spare(kits: readonly AnyKit[], ids: readonly (string | null)[]): () => void {
  let end = (): void => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  kits.forEach((kit, i) => {
    const id = ids[i] ?? null;
    if (id !== null) void kit.pruner.sparing([id], () => over);
  });
  return end;
}

/** Runs one public call of all managers: refused when one of them is closed, waited for by the close of each. */
export function operateAll<T>(
  kits: readonly AnyKit[],
  call: string,
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
): Promise<T> {
  return kits.reduce<() => Promise<T>>((inner, kit) => () => kit.operate(call, signal, inner), operation)();
}
