import { untilAborted } from "@ckpt/core";

/** What an aborted call is called here; its name is the caller's. */
const WAITING = "A call that waited for those before it";

/**
 * Restores on their way to `apply`, and captures on their way to their turn, in the order of their calls. What is captured of the live
 * state while a restore is under way is the state that is being left, and would become the head behind the restore: such a capture waits
 * until `apply` was called. A restore waits in turn for the captures that were called before it (an async `collect`, or one that
 * waits itself), and for the restores. Each waits for earlier ones only. What is captured inside `apply` does not wait for that restore.
 */
export class RestoresUnderWay {
  readonly #restores = new Set<Promise<void>>();
  readonly #captures = new Set<Promise<void>>();
  /** How many restores moved the head. */
  moves = 0;

  /** Runs a restore when those before it are over. `work` calls `end` once `apply` was called, or leaves that to its own end. */
  inTurn<T>(signal: AbortSignal | undefined, work: (end: () => void) => Promise<T>): Promise<T> {
    return RestoresUnderWay.inTurnOfAll([this], signal, ([end]) => work(end!));
  }

  /** Runs one restore of all `agents` when those before it are over; `ends[i]` is the `end` of `agents[i]`. */
  static async inTurnOfAll<T>(
    agents: readonly RestoresUnderWay[],
    signal: AbortSignal | undefined,
    work: (ends: readonly (() => void)[]) => Promise<T>,
  ): Promise<T> {
    const before = agents.flatMap((agent) => [...agent.#restores, ...agent.#captures]);
    const settled = before.length === 0 ? undefined : orAborted(signal, () => Promise.all(before));
    const ends = agents.map((agent) => enter(agent.#restores));
    try {
      if (settled !== undefined) await settled;
      return await work(ends);
    } finally {
      for (const end of ends) end();
    }
  }

  /**
   * Runs `work`, which captures the live state of all `agents`, calls `begin`, and asks for their turns at once. Restores wait for that,
   * or until `signal` fires before (`CKPT_ABORTED`): a `collect` may never end.
   */
  static capturing<T>(
    agents: readonly RestoresUnderWay[],
    signal: AbortSignal | undefined,
    work: (begin: () => void) => Promise<T>,
  ): Promise<T> {
    const ends = agents.map((agent) => enter(agent.#captures));
    const end = (): void => {
      for (const each of ends) each();
    };
    // Whoever waits for `end` goes on in a later microtask: the turns are asked for by then.
    const started = (begin: () => void) => () => {
      begin();
      end();
    };
    const captured = orAborted(signal, (begin) => work(started(begin)));
    captured.then(end, end);
    return captured;
  }

  /** For a capture: resolves when the restores that are under way now are over, whatever begins after them; undefined when there is none. */
  get settled(): Promise<unknown> | undefined {
    return this.#restores.size === 0 ? undefined : Promise.all(this.#restores);
  }
}

/** `untilAborted`, for what has to wait in its turn. */
export function orAborted<T>(
  signal: AbortSignal | undefined,
  work: (begin: () => void) => Promise<T>,
): Promise<T> {
  return untilAborted(signal, WAITING, work);
}

function enter(open: Set<Promise<void>>): () => void {
  let resolve = (): void => {};
  const over = new Promise<void>((done) => {
    resolve = done;
  });
  open.add(over);
  return () => {
    open.delete(over);
    resolve();
  };
}
