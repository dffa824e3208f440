import { Snapshot } from "./snapshot.js";
import { applyChange } from "./state/apply-change.js";
import type { Change } from "./state/change.js";
import { diffNodes } from "./state/diff.js";
import { LARGE_WEIGHT } from "./state/node-meta.js";

/** What one state has that another has not: the part that isn't shared. Immutable; holds only what changed. */
export class Delta {
  /** About its encoded size, in bytes: compare it with the weight of the next snapshot to choose between delta and keyframe. */
  readonly weight: number;
  /** The edit script; undefined when nothing changed. */
  readonly change: Change | undefined;
  /** Whether the state that it leads to is hashed piece by piece, so that the hashes of its pieces are worth keeping. */
  readonly isOfLarge: boolean;

  constructor(change: Change | undefined, isOfLarge: boolean) {
    this.change = change;
    this.isOfLarge = isOfLarge;
    this.weight = change === undefined ? 8 : change.weight + 16;
  }

  /** Whether both states are the same. */
  get isEmpty(): boolean {
    return this.change === undefined;
  }
}

/**
 * What leads from one snapshot to the next. Prunes at shared references, so it costs what changed, provided that `next` was
 * taken with `previous` (see `rebase` where it was not).
 */
export function diff(previous: Snapshot, next: Snapshot): Delta {
  return new Delta(diffNodes(previous.root, next.root), next.weight > LARGE_WEIGHT);
}

/**
 * The snapshot that `delta` leads to. Shares with `previous` whatever the delta does not touch. Throws
 * `CKPT_INVALID_ARGUMENT` when the delta was made from another state and does not fit; a delta that fits by chance gives a
 * state whose hash says so.
 */
export function applyDelta(previous: Snapshot, delta: Delta): Snapshot {
  return delta.change === undefined ? previous : new Snapshot(applyChange(previous.root, delta.change));
}
