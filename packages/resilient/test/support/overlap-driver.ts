import { checkpointGroup, ResilientCheckpointManager, restoreGroup } from "@ckpt/resilient";
import { keepLast } from "@ckpt/retention";
import type { Op, Setting } from "./overlap-ops.js";
import { randomOf, SlowStore, turn } from "./slow-store.js";

type State = { n: number };
type Manager = ResilientCheckpointManager<State>;

interface Live {
  state: State;
  readonly manager: Manager;
  /** Its live state is rightly not that of its head. */
  tainted: string | undefined;
  readonly ids: string[];
  readonly savedEvents: string[];
  /** Head-moving calls under way, and the ids that were acknowledged since the last one. */
  moving: number;
  line: { id: string }[];
  /** Restores that were told, and those that came true. */
  told: number;
  restored: number;
}

/** What an `apply` calls. */
function innerOp(random: (below: number) => number, { agents, asyncCollect }: Setting): Op {
  const kinds = [
    "create",
    "create",
    "restore",
    "undo",
    "guard",
    "restoreGroup",
    asyncCollect ? "create" : "group",
  ];
  const kind = kinds[random(kinds.length)]!;
  const variant = random(1000);
  return { kind, agent: random(agents), hops: 0, turns: 0, pick: random(1000), abortAfter: -1, variant };
}

/** Runs overlapping calls, and resolves to what is wrong when all have settled. */
export async function runOps(
  setting: Setting,
  ops: readonly Op[],
  log?: (line: string) => void,
): Promise<string[]> {
  const random = randomOf(setting.seed ^ 0x5bd1e995);
  const store = new SlowStore(random, setting.failingCommits);
  const wrong: string[] = [];
  let counter = 0;
  const groups: string[] = [];
  let isOver = false;
  const make = (i: number): Live => {
    const agentId = "abc"[i]!;
    let depth = 0;
    const manager: Manager = new ResilientCheckpointManager<State>(agentId, {
      store,
      retention: [false as const, undefined, keepLast(1)][setting.seed % 3],
      drift: false,
      retry: false,
      memoryBytesWhenDegraded: 0,
      logger: {
        debug() {},
        info() {},
        warn() {},
        error(message: string, context: unknown) {
          log?.(`${agentId}: ${message} ${String((context as { error?: unknown })?.error)}`);
        },
      } as never,
      ...(setting.maxCheckpoints > 0 && { maxCheckpoints: setting.maxCheckpoints }),
      collect: (): never => {
        if (!setting.asyncCollect) return { ...live.state } as never;
        return (async () => {
          const n = random(4);
          for (let k = 0; k < n; k++) await turn();
          return { ...live.state };
        })() as never;
      },
      apply: (state: State): never => {
        if (!isOver && setting.failingApply && random(5) === 0) throw new Error("apply");
        live.state = state;
        log?.(`${agentId}: applied ${state.n}`);
        if (!setting.asyncApply) return undefined as never;
        return (async () => {
          if (random(2) === 0) await turn();
          if (setting.savingApply && !isOver && depth < 1 && random(3) === 0) {
            depth++;
            try {
              await perform(innerOp(random, setting), undefined);
            } catch {
            } finally {
              depth--;
            }
          }
          const n = random(3);
          for (let k = 0; k < n; k++) await turn();
          if (!isOver && setting.failingApply && random(8) === 0) throw new Error("late apply");
        })() as never;
      },
    });
    const live: Live = {
      state: { n: 0 },
      manager,
      tainted: undefined,
      ids: [],
      savedEvents: [],
      moving: 0,
      line: [],
      told: 0,
      restored: 0,
    };
    manager.on("restored", () => {
      live.told++;
    });
    manager.on("saved", ({ id }) => {
      if (live.savedEvents.includes(id)) wrong.push(`saved twice: ${id}`);
      live.savedEvents.push(id);
    });
    return live;
  };
  const lives: Live[] = [];
  for (let i = 0; i < setting.agents; i++) lives.push(make(i));

  async function create(live: Live, signal: AbortSignal | undefined): Promise<void> {
    const isMutating = signal === undefined;
    if (isMutating) live.state = { n: ++counter };
    const n = counter;
    const isCalm = live.moving === 0;
    const line = live.line;
    const taint = `create ${n}`;
    const { tainted } = live;
    try {
      const saved = await live.manager.createCheckpoint("routine", {}, { signal });
      live.ids.push(saved.id);
      if (isCalm && line === live.line) line.push({ id: saved.id });
      log?.(`created ${saved.id} <- ${saved.parentId} (asked at ${n})`);
      // Whatever was not saved before is, unless someone changed it meanwhile.
      if (isCalm && live.moving === 0 && live.tainted === tainted) live.tainted = undefined;
    } catch (error) {
      if (isMutating) live.tainted = `${taint}: ${error}`;
      throw error;
    }
  }

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
      const { code, details } = error as {
        code: string;
        details?: { putBack?: boolean; restored?: boolean };
      };
      if (code === "CKPT_APPLY_FAILED" && details?.putBack !== true)
        for (const live of moved) live.tainted = `apply failed: ${error}`;
      if (code === "CKPT_GUARD_FAILED" && details?.restored === true)
        for (const live of moved) live.restored++;
      if (code === "CKPT_GUARD_FAILED" && details?.restored !== true)
        for (const live of moved) live.tainted = `guard: ${error}`;
      throw error;
    } finally {
      for (const live of moved) {
        live.moving--;
        live.line = [];
      }
    }
  }

  function perform(op: Op, signal: AbortSignal | undefined): Promise<unknown> {
    const live = lives[op.agent]!;
    const { manager } = live;
    const target = live.ids[op.pick % Math.max(1, live.ids.length)] ?? `${manager.agentId}:1`;
    const members =
      op.variant % 4 === 0 ? [live] : lives.filter((each, i) => each === live || (op.variant >> i) & 1);
    const ordered = op.variant % 2 === 0 ? members : [...members].reverse();
    switch (op.kind) {
      case "create":
        return create(live, signal);
      case "restore":
        return moving([live], () =>
          manager.restoreCheckpoint(target, { signal, ...(op.variant % 5 === 0 && { safety: false }) }),
        );
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
        return moving([live], () =>
          manager.guard(
            "op",
            async () => {
              if (op.variant % 3 === 0) await turn();
              if (op.variant % 5 !== 0) await create(live, undefined).catch(() => {});
              if (op.variant % 7 === 0)
                await perform({ ...op, kind: "restore", variant: 1 }, undefined).catch(() => {});
              if (op.variant % 11 === 0)
                await perform({ ...op, variant: op.variant % 2 === 0 ? 6 : 7 }, undefined).catch(() => {});
              if (op.variant % 2 === 0) throw new Error("guarded");
            },
            { signal },
          ),
        );
      case "group": {
        const isMutating = signal === undefined;
        if (isMutating) for (const each of members) each.state = { n: ++counter };
        const n = counter;
        return (async () => {
          try {
            const group = await checkpointGroup(
              ordered.map((each) => each.manager),
              "g",
              { signal },
            );
            groups.push(group.groupId);
            for (const { agentId, id } of group.members) {
              const each = lives.find((one) => one.manager.agentId === agentId)!;
              each.ids.push(id);
            }
            log?.(`group ${JSON.stringify(group.members)} (asked at ${n})`);
          } catch (error) {
            if (isMutating) for (const each of members) each.tainted = `group ${n}: ${error}`;
            throw error;
          }
        })();
      }
      case "restoreGroup":
        return moving(members, () =>
          restoreGroup(
            ordered.map((each) => each.manager),
            groups[op.pick % Math.max(1, groups.length)] ?? "g",
            { signal },
          ),
        );
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

  const running = new Map<string, Promise<unknown>>();
  let closing: Promise<void>[] = [];
  for (const [i, op] of ops.entries()) {
    for (let k = 0; k < op.hops; k++) await Promise.resolve();
    for (let k = 0; k < op.turns; k++) await turn();
    if (op.kind === "close") {
      if (closing.length > 0) continue;
      closing = lives.map(({ manager }) => manager.close({ timeoutMs: 100 }));
      continue;
    }
    let signal: AbortSignal | undefined;
    if (op.abortAfter >= 0) {
      const controller = new AbortController();
      signal = controller.signal;
      void (async () => {
        for (let k = 0; k < op.abortAfter; k++) await turn();
        controller.abort();
      })();
    }
    const name = `${i} ${op.kind} ${"abc"[op.agent]}`;
    log?.(`call ${name} ${signal ? "(signal)" : ""}`);
    const call = perform(op, signal);
    running.set(name, call);
    call.then(
      () => {
        log?.(`done ${name}`);
        running.delete(name);
      },
      (error: { code?: string; message: string }) => {
        log?.(`failed ${name}: ${error.code} ${error.message}`);
        running.delete(name);
        if (error.code === undefined || !error.code.startsWith("CKPT_"))
          wrong.push(`${name}: ${error.message}`);
      },
    );
  }
  const waiting = Promise.allSettled([...running.values(), ...closing]);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, 3_000, "late");
  });
  if ((await Promise.race([waiting, late])) === "late")
    return [...wrong, `hangs: ${[...running.keys()].join(", ")}`];
  clearTimeout(timer);
  isOver = true;
  store.isHealed = true;
  if (closing.length > 0) return wrong;
  for (const live of lives) {
    const { manager } = live;
    const stored = await store.agent(manager.agentId);
    if (stored === undefined) continue;
    const line = await manager.lineage();
    const [head] = line;
    const ids = new Set((await manager.getAll()).map(({ id }) => id));
    for (const id of live.savedEvents)
      if (setting.seed % 3 === 0 && setting.maxCheckpoints === 0 && !ids.has(id))
        wrong.push(`saved, not there: ${id}`);
    for (const id of ids) if (!live.savedEvents.includes(id)) wrong.push(`no event saved for ${id}`);
    if (head !== undefined && live.tainted === undefined) {
      const state = await head.data();
      if (state.n !== live.state.n)
        wrong.push(`${manager.agentId}: head ${head.id} is ${state.n}, live is ${live.state.n}`);
    }
    if (setting.maxCheckpoints === 0 && setting.seed % 3 === 0 && !setting.failingCommits)
      for (const { id } of live.line)
        if (!line.some((each) => each.id === id)) wrong.push(`${id} is not on the head's line`);
    if (!setting.failingApply && live.told !== live.restored)
      wrong.push(`${manager.agentId}: ${live.restored} restores, told ${live.told}`);
    const { restores, pruner } = manager as unknown as {
      restores: { allSettled(signal: undefined): unknown };
      pruner: { sparedIds: Iterable<string> };
    };
    if (restores.allSettled(undefined) !== undefined) wrong.push("a restore or capture is never over");
    if ([...pruner.sparedIds].length > 0) wrong.push(`spared for ever: ${[...pruner.sparedIds]}`);
    const undo = stored.notes["ckpt.undo"] as { checkpointId?: string } | undefined;
    if (undo?.checkpointId != null && !ids.has(undo.checkpointId))
      wrong.push(`undo leads to ${undo.checkpointId}, which is gone`);
    const next = await manager.createCheckpoint();
    if (next.parentId !== stored.headId)
      wrong.push(`${next.id} is a child of ${next.parentId}, the head was ${stored.headId}`);
  }
  await Promise.all(lives.map(({ manager }) => manager.close()));
  return wrong;
}
