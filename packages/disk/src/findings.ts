import type { StoreFinding } from "@ckpt/core";

/** At most so many findings are kept until someone takes them. */
const MAX_KEPT = 1000;
const MAX_REMEMBERED = 10_000;

/** What reads and opening met and nobody has taken yet. The same finding is reported once. */
export class Findings {
  #open: StoreFinding[] = [];
  readonly #seen = new Set<string>();

  add(finding: StoreFinding): void {
    const key = `${finding.kind} ${finding.place} ${finding.message}`;
    if (this.#seen.has(key) || this.#open.length >= MAX_KEPT) return;
    if (this.#seen.size < MAX_REMEMBERED) this.#seen.add(key);
    this.#open.push(Object.freeze(finding));
  }

  take(): StoreFinding[] {
    const taken = this.#open;
    this.#open = [];
    return taken;
  }
}
