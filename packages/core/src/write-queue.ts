import { isCkptError } from "@ckpt/errors";
import { throwIfAborted, untilAborted } from "./abort.js";
import { InFlight } from "./in-flight.js";
import type { WritePosition } from "./write-position.js";

type Step<T> = (position: WritePosition) => T | Promise<T>;

/** What an aborted call is called here; its name is the caller's. */
const WAITING = "A call that waited for its turn";

/**
 * Keeps changes to one agent's history in the order of their calls, while their commits overlap.
 *
 * - Turns are taken in the order of the calls, when the agent is open for writing. In its turn a change gets its place and starts its
 *   commit; the store keeps commits in the order in which they were started.
 * - A turn that nothing holds up is taken inside the call.
 * - The head is the one of the last commit that was started; one that fails takes its head back.
 *
 * A step must not wait for a turn of its own queue: that turn would come after it.
 */
export class WriteQueue {
  readonly #open: () => Promise<WritePosition>;
  readonly #commits = new InFlight();
  /** Resolves when the last turn that was asked for is over; undefined when it is. */
  #intake: Promise<void> | undefined;
  #opening: Promise<WritePosition> | undefined;
  #position: WritePosition | undefined;

  /** `open` is called before the first turn; when it fails the turn fails, and the next one calls it again. */
  constructor(open: () => Promise<WritePosition>) {
    this.#open = open;
  }

  /** Opens for writing, once. */
  ready(): Promise<WritePosition> {
    if (this.#position !== undefined) return Promise.resolve(this.#position);
    this.#opening ??= this.#openOnce().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openOnce(): Promise<WritePosition> {
    // When the history is read again, commits under way must be in it.
    await this.#commits.idle();
    this.#position = await this.#open();
    return this.#position;
  }

  /**
   * Runs `step` in its turn. A step that returns a promise holds up those behind it; one that returns its promise inside an
   * object does not. When `signal` fires before the step begins, rejects with `CKPT_ABORTED` at once, and the turn is passed over; a step
   * that has begun is not interrupted.
   */
  async inTurn<T>(step: Step<T>, signal?: AbortSignal): Promise<T> {
    if (this.#intake !== undefined || this.#position === undefined) return this.#wait(step, signal);
    throwIfAborted(signal, WAITING);
    const result = step(this.#position);
    return result instanceof Promise ? this.#hold(result) : result;
  }

  /** Runs `step` in its turn, when every commit started before has settled, and holds up those behind it. `signal`: as in `inTurn`. */
  alone<T>(step: (position: WritePosition) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.inTurn(async (position) => {
      await untilAborted(signal, WAITING, () => this.#commits.idle());
      return step(position);
    }, signal);
  }

  /** Resolves when no turn is under way: that of an aborted call ends after the call. */
  async settled(): Promise<void> {
    while (this.#intake !== undefined) await this.#intake;
  }

  #wait<T>(step: Step<T>, signal: AbortSignal | undefined): Promise<T> {
    const before = this.#intake ?? Promise.resolve();
    if (signal === undefined) return this.#hold(before.then(async () => step(await this.ready())));
    return untilAborted(signal, WAITING, (begin) =>
      this.#hold(
        before.then(async () => {
          throwIfAborted(signal, WAITING); // Whom nobody waits for opens nothing.
          const position = await this.ready();
          begin();
          return step(position);
        }),
      ),
    );
  }

  /** Lets the turns behind wait until this one is over, however it ends. */
  #hold<T>(turn: Promise<T>): Promise<T> {
    const over = (): void => {
      if (this.#intake === intake) this.#intake = undefined;
    };
    const intake: Promise<void> = turn.then(over, over);
    this.#intake = intake;
    return turn;
  }

  /** Starts a commit that makes `headId` the head, and has the position follow its outcome. */
  async commit<T>(position: WritePosition, headId: string | null, start: () => Promise<T>): Promise<T> {
    const move = position.start(headId);
    try {
      const receipt = await this.commitBeside(start);
      position.committed(move);
      return receipt;
    } catch (error) {
      position.failed(move);
      throw error;
    }
  }

  /** Starts a commit that leaves the head alone; `alone` waits for it as for any other. */
  async commitBeside<T>(start: () => Promise<T>): Promise<T> {
    this.#commits.begin();
    try {
      return await start();
    } catch (error) {
      // Someone else wrote: what is known of the history is old. The next turn reads it again.
      if (isCkptError(error, "CKPT_CONFLICT")) this.#position = undefined;
      throw error;
    } finally {
      this.#commits.end();
    }
  }
}
