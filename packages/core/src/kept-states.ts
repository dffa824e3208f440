import { CkptError } from "@ckpt/errors";
import { applyDelta, type Delta, diff } from "./delta.js";
import type { Snapshot } from "./snapshot.js";

/** The most deltas that a restore applies. */
const MAX_STEPS = 32;
/** States up to this weight are kept whole: a delta would cost as much. */
const SMALL_WEIGHT = 1_024;

/**
 * A state as memory keeps it: whole, or as a delta on the one before. Whole snapshots share their unchanged subtrees, but each has
 * its own long arrays: a thousand conversations of up to a thousand messages are half a million references. A delta
 * has what was added.
 */
export class KeptState {
  readonly hash: string;
  readonly #whole: Snapshot | undefined;
  readonly #step: { readonly base: KeptState; readonly delta: Delta } | undefined;

  constructor(hash: string, kept: Snapshot | { readonly base: KeptState; readonly delta: Delta }) {
    this.hash = hash;
    this.#whole = "root" in kept ? kept : undefined;
    this.#step = "root" in kept ? undefined : kept;
  }

  /** The snapshot. Throws `CKPT_CORRUPT` should it not have its hash. */
  restore(): Snapshot {
    const deltas: Delta[] = [];
    let from: KeptState = this;
    for (; from.#step !== undefined; from = from.#step.base) deltas.push(from.#step.delta);
    let state = from.#whole!;
    for (let delta = deltas.pop(); delta !== undefined; delta = deltas.pop())
      state = applyDelta(state, delta);
    if (state.hash === this.hash) return state;
    throw new CkptError("CKPT_CORRUPT", {
      message: `A state in memory has the hash ${state.hash}, not ${this.hash} as it was put.`,
      hint: "Restore another checkpoint, and report this as a defect: nothing in memory should be able to change a state.",
      details: { stateHash: this.hash },
    });
  }
}

/** Keeps one agent's states, each against the one that came before it. */
export class StateKeeper {
  #last: { readonly snapshot: Snapshot; readonly kept: KeptState } | undefined;
  #steps = 0;
  #weight = 0;

  keep(snapshot: Snapshot): KeptState {
    const kept = this.#kept(snapshot);
    this.#last = { snapshot, kept };
    return kept;
  }

  #kept(snapshot: Snapshot): KeptState {
    const last = this.#last;
    if (last !== undefined && last.kept.hash === snapshot.hash) return last.kept;
    if (last !== undefined && snapshot.weight > SMALL_WEIGHT && this.#steps < MAX_STEPS) {
      const delta = diff(last.snapshot, snapshot);
      // So what a kept state holds on to, removed ones in its chain included, is at most twice its size.
      if (this.#weight + delta.weight <= snapshot.weight) {
        this.#steps++;
        this.#weight += delta.weight;
        return new KeptState(snapshot.hash, { base: last.kept, delta });
      }
    }
    this.#steps = 0;
    this.#weight = 0;
    return new KeptState(snapshot.hash, snapshot);
  }
}
