import type { HistoryEntry, Reason } from "./policy.js";

/** The reasons of each checkpoint of one plan. By index, because a map of a million entries blocks each time that it grows. */
export class Reasons {
  readonly #lists: (Reason[] | undefined)[];

  constructor(entries: readonly HistoryEntry[]) {
    this.#lists = new Array<Reason[] | undefined>(entries.length);
  }

  of(entry: HistoryEntry): readonly Reason[] | undefined {
    return this.#lists[entry.index];
  }

  has(entry: HistoryEntry): boolean {
    return this.#lists[entry.index] !== undefined;
  }

  add(entry: HistoryEntry, reason: Reason): void {
    const list = this.#lists[entry.index];
    if (list === undefined) this.#lists[entry.index] = [reason];
    else if (!list.some((known) => known.code === reason.code && known.message === reason.message)) {
      list.push(reason);
    }
  }
}
