/** Something that a store's read or verification found wrong; a `StoreFinding` of `@ckpt/core` is one. */
export interface CorruptionFinding {
  /** What kind of damage: `damaged`, `missing`, `stale`, `torn`, ... */
  readonly kind: string;
  /** Where: a file and offset, a row. */
  readonly place?: string;
  readonly message: string;
  /** The checkpoints that cannot be restored because of it. */
  readonly affectedIds?: readonly string[];
  /** What can be done about it. */
  readonly remedy?: string;
}

/**
 * What is known about one step of an agent. Every field is optional: a detector uses what is there and ignores the rest.
 * A signal carries no time of its own; order is the order of the calls.
 */
export interface Signal {
  /** The checkpoint that holds the state after this step, if one was saved. Verdicts name it as the place to go back to. */
  readonly checkpointId?: string;
  /** That checkpoint's sequence number. */
  readonly sequence?: number;
  /** The agent's own step number. As with `sequence`, a number that is not finite is left out. */
  readonly step?: number;
  /**
   * Any numbers worth watching: `durationMs`, `tokens`, `bytes`, a score. Values that are not finite are ignored; values beyond ±1e100 count as
   * ±1e100.
   */
  readonly metrics?: Readonly<Record<string, number>>;
  /** How the step ended. */
  readonly outcome?: "ok" | "error";
  /** The tool that the step called. */
  readonly tool?: string;
  /** The arguments of that call, plain JSON. A monitor keeps no more of them than a fingerprint; `Siblings` keeps their leaves as text. */
  readonly arguments?: unknown;
  /** What the agent did, as text or as a hash of it: equal strings (with equal `arguments`, if given) are the same action. */
  readonly action?: string;
  /** What the agent saw, as text or as a hash of it: equal strings are the same observation. */
  readonly observation?: string;
  /** A 64-bit similarity hash of the observation, 16 hex digits (see `simhash`); near-duplicates differ in few bits. */
  readonly observationSimhash?: string;
  /** The name of the state after the step (a checkpoint's `stateHash`): equal strings are the same state. */
  readonly stateHash?: string;
  /** The state after the step, read by invariants and by learned consistency; never kept, never changed. */
  readonly state?: unknown;
  /** What the store's reads and verification found since the last signal. */
  readonly findings?: readonly CorruptionFinding[];
}
