import type { Json, JsonReader } from "./json.js";
import type { Signal } from "./signal.js";
import type { Origin } from "./verdict.js";

const CAPACITY = 512;

/**
 * The checkpoints that signals named, so that "since signal 812" becomes "restore this one". Bounded: when full, every second
 * entry of the older half goes, so recent history stays exact and old history gets coarser.
 */
export class Trail {
  #marks: Origin[] = [];

  add(index: number, signal: Signal): void {
    if (signal.checkpointId === undefined) return;
    this.#marks.push(originOf(index, signal));
    if (this.#marks.length > CAPACITY) {
      this.#marks = this.#marks.filter((_, i) => i % 2 === 0 || i >= CAPACITY / 2);
    }
  }

  /** The origin of signal `index`, with its checkpoint where that is still known. */
  at(index: number): Origin {
    return this.#marks.find((mark) => mark.index === index) ?? { index };
  }

  /** The newest checkpoint from before signal `index`. */
  lastBefore(index: number): Origin | null {
    return this.#marks.findLast((mark) => mark.index < index) ?? null;
  }

  /** Forgets the checkpoints from signal `index` on: they belong to an episode that was rolled back. */
  dropFrom(index: number): void {
    this.#marks = this.#marks.filter((mark) => mark.index < index);
  }

  clear(): void {
    this.#marks = [];
  }

  toJSON(): Json {
    return this.#marks.map((mark) => ({ ...mark }));
  }

  static fromJSON(readers: readonly JsonReader[]): Trail {
    const trail = new Trail();
    trail.#marks = readers.map((reader) => readOrigin(reader));
    return trail;
  }

  static readonly capacity = CAPACITY;
}

function originOf(index: number, signal: Signal): Origin {
  return {
    index,
    ...(signal.checkpointId === undefined ? {} : { checkpointId: signal.checkpointId }),
    ...(isNumber(signal.sequence) ? { sequence: signal.sequence } : {}),
    ...(isNumber(signal.step) ? { step: signal.step } : {}),
  };
}

/** JSON has no place for numbers that are not finite. */
function isNumber(value: number | undefined): value is number {
  return Number.isFinite(value);
}

/** Reads a stored origin. */
export function readOrigin(reader: JsonReader): Origin {
  return {
    index: reader.integer("index"),
    ...(reader.has("checkpointId") ? { checkpointId: reader.string("checkpointId") } : {}),
    ...(reader.has("sequence") ? { sequence: reader.number("sequence") } : {}),
    ...(reader.has("step") ? { step: reader.number("step") } : {}),
  };
}
