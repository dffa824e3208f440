/** The place of a checkpoint in its agent's history. */
export interface Place {
  readonly id: string;
  readonly sequence: number;
  readonly parentId: string | null;
}

/** A commit under way that makes `id` the head; null when it removes the head. */
export interface HeadMove {
  readonly id: string | null;
}

/**
 * Where the next checkpoint goes: after the last sequence that was handed out, as a child of the head. Saves overlap, so
 * places are handed out before the ones before them are committed.
 *
 * - A sequence is handed out once. One whose commit failed stays a gap.
 * - The head is that of the last move that has not failed, whatever the order in which moves end.
 */
export class WritePosition {
  readonly #agentId: string;
  /** The last committed move, then those under way, in the order in which they were started. */
  readonly #moves: HeadMove[];
  #lastSequence: number;

  constructor(agentId: string, lastSequence: number, headId: string | null) {
    this.#agentId = agentId;
    this.#lastSequence = lastSequence;
    this.#moves = [{ id: headId }];
  }

  /** The last sequence handed out. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** The head that the next save continues from; its own commit may still be under way. */
  get headId(): string | null {
    return this.#moves.at(-1)?.id ?? null;
  }

  /** Hands out the next place, a child of the head. */
  next(): Place {
    const sequence = ++this.#lastSequence;
    return { id: `${this.#agentId}:${sequence}`, sequence, parentId: this.headId };
  }

  /** Records that sequences up to `sequence` are handed out. */
  advanceTo(sequence: number): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
  }

  /** A commit was started that makes `id` the head. */
  start(id: string | null): HeadMove {
    const move = { id };
    this.#moves.push(move);
    return move;
  }

  /** The commit of `move` is done: what came before it no longer matters. */
  committed(move: HeadMove): void {
    const at = this.#moves.indexOf(move);
    if (at > 0) this.#moves.splice(0, at); // Not there: a later one was done first.
  }

  /** The commit of `move` failed: the head is what it was before, unless a later move replaced it. */
  failed(move: HeadMove): void {
    const at = this.#moves.indexOf(move);
    if (at > 0) this.#moves.splice(at, 1);
  }
}
