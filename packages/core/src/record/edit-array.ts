import { corrupt } from "../state/corrupt.js";
import type { ResolvedLimits } from "../state/limits.js";
import type { KnownGroup } from "../state/node-meta.js";
import { ArrayBranch, type Slot } from "./branch.js";
import { badStructure, buildItem } from "./build.js";
import type { Structure } from "./format.js";
import type { PartSource } from "./part.js";

/** Applies a change to a slot; handed in, because a change of an array may hold any other. */
export type SlotEditor = (
  slot: Slot,
  change: Structure,
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
) => Slot;

/** More single splices than this cost more than building the list anew. */
const MAX_SPLICES = 16;
const MAX_SPLICED_ITEMS = 1_024;

/** One step of the script: old elements from `from` on, or fresh ones (`from` is -1). */
interface Step {
  readonly from: number;
  count: number;
  /** How the one old element changes. */
  readonly change: Structure | undefined;
  /** What is inserted, or the changed element, once it was made. */
  fresh: Slot[] | undefined;
  /** Known groups, counted from the step's first element. */
  hints: readonly KnownGroup[];
}

const NO_HINTS: readonly KnownGroup[] = [];

/**
 * Applies an edit script in place. Each old element serves at most once, so that no script can make a small state
 * large; a script that only moves forward is done by splices, without a copy of the array.
 */
export function editArray(
  branch: ArrayBranch,
  list: readonly Structure[],
  parts: PartSource,
  limits: ResolvedLimits,
  depth: number,
  edit: SlotEditor,
): void {
  const steps: Step[] = [];
  const { items } = branch;
  let forward = 0;
  let sorted = true;
  for (let i = 1; i < list.length; i++) {
    const step = readStep(list[i]!, items.length);
    if (step.from >= 0 && step.from < forward) sorted = false;
    if (step.from >= 0) forward = Math.max(forward, step.from + step.count);
    steps.push(step);
  }
  // Before anything changes: an element that is patched again and again would cost its size each time.
  if (!sorted) checkDisjoint(steps, items.length);
  let fresh = 0;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    if (step.change !== undefined) {
      step.fresh = [edit(items[step.from]!, step.change, parts, limits, depth)];
    } else if (step.from < 0) {
      const made = new ArrayBranch([], []);
      buildItem(list[i + 1]!, made, parts, limits, depth);
      step.count = made.items.length;
      step.fresh = made.items;
      step.hints = made.hints;
      fresh += step.count;
    }
  }
  const hints = movedHints(branch.hints, steps, sorted);
  if (sorted && steps.length <= MAX_SPLICES && fresh <= MAX_SPLICED_ITEMS) spliceSteps(items, steps);
  else branch.items = rebuilt(items, steps);
  branch.hints = hints;
}

/** Where a step stands; nothing is made or changed yet. */
function readStep(structure: Structure, length: number): Step {
  if (!Array.isArray(structure) || typeof structure[0] === "string")
    return { from: -1, count: 0, change: undefined, fresh: undefined, hints: NO_HINTS };
  const [from, second] = structure as unknown as readonly [unknown, Structure];
  if (structure.length !== 2 || !Number.isInteger(from) || (from as number) < 0) throw badStructure();
  const start = from as number;
  const change = Array.isArray(second) ? second : undefined;
  const count = change === undefined ? second : 1;
  if (!Number.isInteger(count) || (count as number) < 1) throw badStructure();
  if (start + (count as number) > length) throw outside();
  return { from: start, count: count as number, change, fresh: undefined, hints: NO_HINTS };
}

const outside = (): Error => corrupt("A delta keeps elements that the array does not have.");

function checkDisjoint(steps: readonly Step[], length: number): void {
  const used = new Uint8Array(length);
  for (const { from, count } of steps) {
    for (let i = Math.max(from, 0); from >= 0 && i < from + count; i++) {
      if (used[i] === 1) throw corrupt("A delta keeps an element twice.");
      used[i] = 1;
    }
  }
}

/** Works through the steps from left to right; what lies between two of them goes. */
function spliceSteps(items: Slot[], steps: readonly Step[]): void {
  let position = 0;
  /** How far the old elements that are still ahead have moved. */
  let shift = 0;
  for (const { from, count, fresh } of steps) {
    if (from >= 0) {
      const skip = from + shift - position;
      if (skip > 0) items.splice(position, skip);
      shift -= skip;
      if (fresh !== undefined) items[position] = fresh[0]!;
    } else {
      if (position === items.length) for (const item of fresh!) items.push(item);
      else items.splice(position, 0, ...fresh!);
      shift += count;
    }
    position += count;
  }
  items.length = position;
}

function rebuilt(items: readonly Slot[], steps: readonly Step[]): Slot[] {
  const result: Slot[] = [];
  for (const { from, count, fresh } of steps) {
    if (fresh !== undefined) for (const item of fresh) result.push(item);
    else for (let i = from; i < from + count; i++) result.push(items[i]!);
  }
  return result;
}

/** Known groups that lie wholly inside what is kept, where they stand now, and those that came. */
function movedHints(hints: readonly KnownGroup[], steps: readonly Step[], sorted: boolean): KnownGroup[] {
  const first = steps[0];
  const last = hints[hints.length - 1];
  const untouched = first?.from === 0 && first.fresh === undefined;
  // The usual case: everything known lies before the first change.
  const prefix = untouched && (last === undefined || last.start + last.count <= first.count);
  const result = prefix ? (hints as KnownGroup[]) : [];
  let position = 0;
  let next = 0;
  for (const { from, count, fresh, hints: known } of steps) {
    if (fresh !== undefined) {
      for (const hint of known) result.push({ ...hint, start: hint.start + position });
    } else if (!prefix && sorted) {
      while (next < hints.length && hints[next]!.start < from) next++;
      for (; next < hints.length && hints[next]!.start + hints[next]!.count <= from + count; next++) {
        result.push({ ...hints[next]!, start: hints[next]!.start - from + position });
      }
    }
    position += count;
  }
  return result;
}
