/** The place of a checkpoint in its agent's history. */
export interface Place {
  readonly id: string;
  readonly sequence: number;
  readonly parentId: string | null;
}

/**
 * Where the next checkpoint goes: after the last sequence that was handed out, as a child of the head. Saves overlap, so
 * places are handed out before the ones before them are committed.
 *
 * - A sequence is handed out once. One whose commit failed stays a gap.
 * - A commit that failed takes its head back, unless a later move replaced it already.
 */
export class WritePosition {
  readonly #agentId: string;
  #lastSequence: number;
  #headId: string | null;
  #committedHeadId: string | null;

  constructor(agentId: string, lastSequence: number, headId: string | null) {
    this.#agentId = agentId;
    this.#lastSequence = lastSequence;
    this.#headId = headId;
    this.#committedHeadId = headId;
  }

  /** The last sequence handed out. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** The head that the next save continues from; its own commit may still be under way. */
  get headId(): string | null {
    return this.#headId;
  }

  /** Hands out the next place, a child of the head. */
  next(): Place {
    const sequence = ++this.#lastSequence;
    return { id: `${this.#agentId}:${sequence}`, sequence, parentId: this.#headId };
  }

  /** Records that sequences up to `sequence` are handed out. */
  advanceTo(sequence: number): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
  }

  /** Moves the head, as a commit that was started will; null when it was removed. */
  moveHead(id: string | null): void {
    this.#headId = id;
  }

  /** The commit that made `id` the head is done. */
  committed(id: string | null): void {
    this.#committedHeadId = id;
  }

  /** The commit that made `id` the head failed. */
  failed(id: string | null): void {
    if (this.#headId === id) this.#headId = this.#committedHeadId;
  }
}
