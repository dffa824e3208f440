/** Checkpoints that are worked on in one step: a plan in slices lets others run between two steps. */
const STEP = 256;

/** Work in steps; nothing, where it was done in one go. */
export type Steps = Iterable<void> | void;

/** Whether a step ends before the item of this index: never before the first, so that many short lists are not many steps. */
export function endsStep(index: number): boolean {
  return index % STEP === STEP - 1;
}

/** Carries out what a rule returned. */
export function* stepsOf(steps: Steps): Generator<void, void> {
  if (steps !== undefined) yield* steps;
}

/** `items.filter(wanted)`, in steps. */
export function* filterInSteps<T>(
  items: readonly T[],
  wanted: (item: T) => boolean,
): Generator<void, readonly T[]> {
  const found: T[] = [];
  for (let i = 0; i < items.length; i++) {
    if (endsStep(i)) yield;
    const item = items[i]!;
    if (wanted(item)) found.push(item);
  }
  return found;
}

/** Works on many lists one after the other, in steps however short each is. */
export function* eachInSteps<T>(
  lists: Iterable<readonly T[]>,
  work: (list: readonly T[]) => Steps,
): Generator<void, void> {
  let done = 0;
  for (const list of lists) {
    yield* stepsOf(work(list));
    done += list.length;
    if (done < STEP) continue;
    done = 0;
    yield;
  }
}
