import { isCkptError } from "@ckpt/errors";
import { settle } from "./open-calls.js";
import type { WritePosition } from "./write-position.js";

/**
 * Keeps changes to one agent's history in the order of their calls, while their commits overlap.
 *
 * - Turns are taken in the order of the calls, when the agent is open for writing. In its turn a change gets its place and starts its
 *   commit; the store keeps commits in the order in which they were started.
 * - The head is the one of the last commit that was started; one that fails takes its head back.
 *
 * A step must not wait for a turn of its own queue: that turn would come after it.
 */
export class WriteQueue {
  readonly #open: () => Promise<WritePosition>;
  readonly #commits = new Set<Promise<void>>();
  #intake: Promise<unknown> = Promise.resolve();
  #position: Promise<WritePosition> | undefined;

  /** `open` is called before the first turn; when it fails the turn fails, and the next one calls it again. */
  constructor(open: () => Promise<WritePosition>) {
    this.#open = open;
  }

  /** Opens for writing, once. */
  ready(): Promise<WritePosition> {
    // When the history is read again, commits under way must be in it.
    this.#position ??= Promise.all(this.#commits)
      .then(() => this.#open())
      .catch((error: unknown) => {
        this.#position = undefined;
        throw error;
      });
    return this.#position;
  }

  /**
   * Runs `step` in its turn. A step that returns a promise holds up those behind it; one that returns its promise inside an
   * object does not.
   */
  inTurn<T>(step: (position: WritePosition) => T | Promise<T>): Promise<T> {
    const result = this.#intake.then(async () => step(await this.ready()));
    this.#intake = settle(result);
    return result;
  }

  /** Runs `step` in its turn, when every commit started before has settled, and holds up those behind it. */
  alone<T>(step: (position: WritePosition) => Promise<T>): Promise<T> {
    return this.inTurn(async (position) => {
      await Promise.all(this.#commits);
      return step(position);
    });
  }

  /** Starts a commit that makes `headId` the head, and has the position follow its outcome. */
  async commit<T>(position: WritePosition, headId: string | null, start: () => Promise<T>): Promise<T> {
    const move = position.start(headId);
    const committing = start();
    const settled = settle(committing);
    this.#commits.add(settled);
    try {
      const receipt = await committing;
      position.committed(move);
      return receipt;
    } catch (error) {
      position.failed(move);
      // Someone else wrote: what is known of the history is old. The next turn reads it again.
      if (isCkptError(error, "CKPT_CONFLICT")) this.#position = undefined;
      throw error;
    } finally {
      this.#commits.delete(settled);
    }
  }
}
