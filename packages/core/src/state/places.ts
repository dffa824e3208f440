import type { StateArray } from "../node.js";
import { fingerprint } from "./fingerprint.js";
import { type SameContext, sameElement } from "./same.js";

/** At most so many elements of one fingerprint are compared before an element counts as new. */
const MAX_CANDIDATES = 8;
const NONE = -1;

/**
 * The old elements of an array by fingerprint, for looking up where a live element stood. Each serves once: what was taken
 * leaves its list when a search comes by, so that all searches together pass it once, wherever it stands.
 */
export class Places {
  private readonly first = new Map<number, number>();
  /** The next place with the same fingerprint. */
  private readonly following: Int32Array;

  constructor(
    private readonly old: StateArray,
    private readonly start: number,
    end: number,
    private readonly context: SameContext,
  ) {
    this.following = new Int32Array(end - start);
    // Backwards, so that the earliest place of a fingerprint comes first.
    for (let i = end - 1; i >= start; i--) {
      const key = fingerprint(old[i], context.codecs);
      this.following[i - start] = this.first.get(key) ?? NONE;
      this.first.set(key, i);
    }
  }

  /** The first free place whose element equals `live`, or -1. `used` counts from the first place. */
  find(live: unknown, used: Uint8Array): number {
    const { old, start, following } = this;
    const key = fingerprint(live, this.context.codecs);
    let before = NONE;
    let place = this.first.get(key) ?? NONE;
    for (let tries = 0; place !== NONE && tries < MAX_CANDIDATES; ) {
      const next = following[place - start]!;
      if (used[place - start] === 1) {
        if (before === NONE) this.first.set(key, next);
        else following[before - start] = next;
      } else {
        if (sameElement(live, old[place]!, this.context)) return place;
        before = place;
        tries++;
      }
      place = next;
    }
    return NONE;
  }
}
