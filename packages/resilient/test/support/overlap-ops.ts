import { randomOf } from "./slow-store.js";

/** One call of a run, as numbers, so that a run can be repeated and cut down. */
export interface Op {
  readonly kind: string;
  readonly agent: number;
  /** Microtasks, and then turns of the loop, before it. */
  readonly hops: number;
  readonly turns: number;
  /** Chooses the target. */
  readonly pick: number;
  /** -1: no signal; otherwise turns until it fires. */
  readonly abortAfter: number;
  readonly variant: number;
}

export interface Setting {
  readonly seed: number;
  readonly agents: number;
  readonly asyncCollect: boolean;
  readonly asyncApply: boolean;
  /** Whether an `apply` saves agents itself. */
  readonly savingApply: boolean;
  readonly failingCommits: boolean;
  readonly failingApply: boolean;
  readonly maxCheckpoints: number;
}

const KINDS = [
  "create",
  "create",
  "create",
  "restore",
  "restore",
  "undo",
  "fork",
  "guard",
  "guard",
  "rollback",
  "group",
  "restoreGroup",
  "recover",
  "retention",
  "pin",
];

export function opsOf(setting: Setting, count: number): Op[] {
  const random = randomOf(setting.seed);
  return Array.from({ length: count }, () => ({
    kind: KINDS[random(KINDS.length)]!,
    agent: random(setting.agents),
    hops: random(12),
    turns: random(3) === 0 ? random(4) : 0,
    pick: random(1000),
    abortAfter: random(6) === 0 ? random(4) : -1,
    variant: random(1000),
  }));
}

/** Leaves calls out as long as what is left still goes wrong. */
export async function shrink(
  ops: readonly Op[],
  isWrong: (ops: readonly Op[]) => Promise<boolean>,
): Promise<readonly Op[]> {
  let least = ops;
  for (let step = Math.ceil(least.length / 2); step >= 1; ) {
    let isSmaller = false;
    for (let at = 0; at < least.length; at += step) {
      const fewer = [...least.slice(0, at), ...least.slice(at + step)];
      if (!(await isWrong(fewer))) continue;
      least = fewer;
      isSmaller = true;
      break;
    }
    if (!isSmaller) step = step === 1 ? 0 : Math.ceil(step / 2);
  }
  return least;
}
