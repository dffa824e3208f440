import type { CheckpointHeader } from "@ckpt/core";
import { countBefore } from "./by-sequence.js";
import type { HistoryEntry } from "./policy.js";
import { endsStep } from "./steps.js";

/** The number at the end of an id, `agentId:number`; NaN where there is none. */
export function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf(":") + 1));
}

/** Finds entries by id. */
export interface ById {
  get(id: string): HistoryEntry | undefined;
}

/**
 * An index over entries by id that holds almost nothing: an id that a store gave ends in its sequence, and is found by that. Only
 * the others, which an import brought, are in a map: one of a million ids would block each time that it grows.
 */
export class IdIndex implements ById {
  readonly #entries: readonly HistoryEntry[];
  readonly #imported = new Map<string, HistoryEntry>();

  /** `entries`: oldest first; may still grow. */
  constructor(entries: readonly HistoryEntry[]) {
    this.#entries = entries;
  }

  #numbered(id: string): HistoryEntry | undefined {
    const sequence = numberOf(id);
    const entry = this.#entries[countBefore(this.#entries, sequence)];
    return entry?.header.id === id && entry.header.sequence === sequence ? entry : undefined;
  }

  get(id: string): HistoryEntry | undefined {
    return this.#numbered(id) ?? this.#imported.get(id);
  }

  /** Takes note of an entry. False when its id is known. */
  add(entry: HistoryEntry): boolean {
    const { id, sequence } = entry.header;
    if (numberOf(id) === sequence) return true;
    if (this.#imported.has(id)) return false;
    this.#imported.set(id, entry);
    return true;
  }

  /** A checkpoint whose id is another's as well, when all are there; in steps. */
  *twice(): Generator<void, CheckpointHeader | undefined> {
    let done = 0;
    for (const [id, { header }] of this.#imported) {
      if (this.#numbered(id) !== undefined) return header;
      if (endsStep(done++)) yield;
    }
    return undefined;
  }
}
