import {
  type AgentState,
  type CheckpointHeader,
  isCkptError,
  type SignalOption,
  type StoreFinding,
} from "@ckpt/core";
import { closeGuard, restoreGuard } from "./guard-outcome.js";
import type { ManagerKit } from "./manager-kit.js";
import { type Intact, isDamage, newestIntact } from "./newest-intact.js";
import type { ResilientOptions, UnfinishedGuardChoice } from "./options.js";
import { describeError } from "./place-failure.js";
import type { OfferedGuard, RecoveryReport, SkippedCheckpoint, UnfinishedGuard } from "./recovery-report.js";
import type { Restored } from "./restore.js";

type GuardOption<State> = NonNullable<ResilientOptions<State>["onUnfinishedGuard"]>;

/**
 * Takes the agent, finds where it was and applies that: see `ResilientCheckpointManager.recover`. An older checkpoint that
 * stands in for a damaged head becomes the head, so that what is saved next continues from what was applied.
 */
export async function recover<State>(
  kit: ManagerKit<State>,
  onUnfinishedGuard: GuardOption<State>,
  options: SignalOption,
): Promise<RecoveryReport<State>> {
  return kit.restores.inTurn(options.signal, (end) => recoverAnd(kit, onUnfinishedGuard, options, end));
}

/** `end` is called once `apply` was, and before what runs the caller's code, which may save. */
async function recoverAnd<State>(
  kit: ManagerKit<State>,
  onUnfinishedGuard: GuardOption<State>,
  options: SignalOption,
  end: () => void,
): Promise<RecoveryReport<State>> {
  // In turn with the saves that were called before: the last of them is where the agent was.
  const look = () =>
    kit.queue.alone(async () => {
      const agent = await kit.readAgent();
      return { agent, search: await findHead(kit, agent, options) };
    }, options.signal);
  let { agent, search } = await look();
  const guards = (agent?.openGuards ?? []).map((guard) => offer(kit, guard));
  const isLetGo = guards.length > 0 && typeof onUnfinishedGuard === "function";
  if (isLetGo) end();
  const { moves } = kit.restores;
  // What is live now, and what was saved of it meanwhile, is of a process that has just begun: an undo leads to the state at the crash.
  const inner = { ...options, safety: false, end: isLetGo ? undefined : end, formerId: agent?.headId };
  const undone = await settleGuards(kit, guards, onUnfinishedGuard, inner);
  if (undone.restored !== undefined) {
    const { checkpoint, data } = undone.restored;
    return report(kit, agent, { ...search, checkpoint, data, open: undone.open });
  }
  // The caller's code went somewhere by itself: that came later than the head from before.
  if (kit.restores.moves !== moves) ({ agent, search } = await look());
  const applied = search.found;
  if (applied !== undefined) {
    const isHead = applied.header.id === agent?.headId;
    // Whatever was saved while the restore did not hold it up came from a live state that has not begun.
    if (isLetGo)
      await kit.restores.inTurn(options.signal, (over) => takeOver(kit, applied, false, options, over));
    else await takeOver(kit, applied, isHead, options, end);
  }
  return report(kit, agent, {
    ...search,
    checkpoint: applied === undefined ? null : kit.handle(applied.header),
    data: applied?.data,
    open: undone.open,
  });
}

/** Makes a checkpoint the head, where it is not known to be, and applies it. */
async function takeOver<State>(
  kit: ManagerKit<State>,
  { header, snapshot, data }: Intact<State>,
  isHead: boolean,
  options: SignalOption,
  end: () => void,
): Promise<void> {
  const announce = () => kit.events.emit("restored", { checkpoint: kit.handle(header), reason: "recovered" });
  if (isHead) announce();
  else {
    await kit.queue.alone(async (position) => {
      if (position.headId === header.id) return announce();
      await kit.pruner.sparing([header.id], () =>
        kit.moveHead(position, header, snapshot, "recovered", options),
      );
    }, options.signal);
  }
  const applying = kit.apply(data, header.id);
  end();
  await applying;
}

interface Search<State> {
  readonly found: Intact<State> | undefined;
  readonly skipped: readonly SkippedCheckpoint[];
  readonly lineageGap: boolean;
  readonly intactElsewhereId: string | null;
}

async function findHead<State>(
  kit: ManagerKit<State>,
  agent: AgentState | undefined,
  { signal }: SignalOption,
): Promise<Search<State>> {
  const nothing = { found: undefined, skipped: [], lineageGap: false, intactElsewhereId: null };
  const header = await headHeader(kit, agent);
  if (header === undefined) return nothing;
  try {
    const found = await newestIntact(kit, header, { signal, allowOlder: true });
    const { skipped, lineageGap } = found;
    return { found, skipped, lineageGap, intactElsewhereId: null };
  } catch (error) {
    if (!isCkptError(error, "CKPT_CORRUPT")) throw error;
    const skipped = (error.details.skipped ?? []) as readonly SkippedCheckpoint[];
    const passed = new Set(skipped.map(({ id }) => id));
    return { ...nothing, skipped, intactElsewhereId: await intactElsewhere(kit, passed, signal) };
  }
}

/** The head's header; where the head was removed, the newest checkpoint's. */
async function headHeader<State>(
  kit: ManagerKit<State>,
  agent: AgentState | undefined,
): Promise<CheckpointHeader | undefined> {
  if (agent === undefined) return undefined;
  const head = agent.headId === null ? undefined : await kit.lookUp(agent.headId);
  return head ?? (await kit.list({ reverse: true, limit: 1 }))[0];
}

/** The newest checkpoint off the head's line that reads back: named, not applied, since someone may have rolled it back. */
async function intactElsewhere<State>(
  kit: ManagerKit<State>,
  passed: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  for (const header of await kit.list({ reverse: true })) {
    if (passed.has(header.id)) continue;
    try {
      await kit.load(header, { signal });
      return header.id;
    } catch (error) {
      if (!isDamage(error)) throw error;
      kit.damaged(header.id, error);
    }
  }
  return null;
}

function offer<State>(kit: ManagerKit<State>, guard: UnfinishedGuard): OfferedGuard<State> {
  return {
    ...guard,
    damage: null,
    restore: () => restoreGuard(kit, guard),
    dismiss: () => closeGuard(kit, guard, "dismissed"),
  };
}

/** Does with unfinished guards what the caller chose. Of several to restore, the first begun has the state from before all. */
async function settleGuards<State>(
  kit: ManagerKit<State>,
  guards: readonly OfferedGuard<State>[],
  choose: GuardOption<State>,
  options: NonNullable<Parameters<typeof restoreGuard<State>>[2]>,
): Promise<{ restored: Restored<State> | undefined; open: readonly OfferedGuard<State>[] }> {
  const open: OfferedGuard<State>[] = [];
  const toRestore: OfferedGuard<State>[] = [];
  for (const guard of guards) {
    const { guardId, operation, checkpointId } = guard;
    const choice: UnfinishedGuardChoice =
      typeof choose === "function" ? await choose({ guardId, operation, checkpointId }) : choose;
    if (choice === "restore") toRestore.push(guard);
    else if (choice === "dismiss") await guard.dismiss();
    else open.push(guard);
  }
  const [outermost, ...inner] = toRestore;
  if (outermost === undefined) return { restored: undefined, open };
  try {
    return { restored: await restoreGuard(kit, outermost, options, inner), open };
  } catch (error) {
    if (!isDamage(error)) throw error;
    // No start after this one would get any further: they stay open, and that is said.
    kit.report(`going back to before ${outermost.operation}`, error);
    const { code, message } = describeError(error);
    const sequence = (await kit.lookUp(outermost.checkpointId))?.sequence ?? 0;
    const damage = { id: outermost.checkpointId, sequence, code, message };
    return { restored: undefined, open: [...open, { ...outermost, damage }, ...inner] };
  }
}

function report<State>(
  kit: ManagerKit<State>,
  agent: AgentState | undefined,
  outcome: Search<State> & {
    readonly checkpoint: RecoveryReport<State>["checkpoint"];
    readonly data: State | undefined;
    readonly open: readonly OfferedGuard<State>[];
  },
): RecoveryReport<State> {
  const findings: readonly StoreFinding[] = kit.takeFindings();
  return {
    agentId: kit.agentId,
    checkpoint: outcome.checkpoint,
    data: outcome.data,
    headId: agent?.headId ?? null,
    skipped: outcome.skipped,
    lineageGap: outcome.lineageGap,
    intactElsewhereId: outcome.intactElsewhereId,
    unfinishedGuards: outcome.open,
    findings,
    maybeStale: findings.some((finding) => finding.kind === "stale"),
  };
}
