/** How bad it is. `warn`: worth a look. `drift`: act (recovery checkpoint, restore). `corrupt`: what is stored is damaged. */
export type Level = "ok" | "warn" | "drift" | "corrupt";

const RANK: Readonly<Record<Level, number>> = { ok: 0, warn: 1, drift: 2, corrupt: 3 };

/** Negative when `a` is milder than `b`, positive when it is worse. */
export function compareLevels(a: Level, b: Level): number {
  return RANK[a] - RANK[b];
}

/** A position in the agent's history. */
export interface Origin {
  /** Number of the signal, counted from 0 over the life of the monitor. */
  readonly index: number;
  readonly checkpointId?: string;
  readonly sequence?: number;
  readonly step?: number;
}

/** What one detector found, in a form that a person can act on. */
export interface Evidence {
  /** Name of the detector. */
  readonly detector: string;
  /** What it watched: a metric's name, `observation`, `outcome`, a path into the state. */
  readonly metric: string;
  readonly level: "warn" | "drift" | "corrupt";
  /** What was normal: a typical value, a rate, an expectation. */
  readonly before: number | string | null;
  /** What it is now, in the same unit. */
  readonly after: number | string | null;
  /** Number of signals on which `after` was measured. */
  readonly window: number;
  /** Where it began, as far as can be told. */
  readonly since: Origin;
  /** How sure the detector is, 0 to 1; 1 for what was declared or verified. */
  readonly confidence: number;
  /** One sentence for a log. */
  readonly message: string;
  /** What to try. */
  readonly suggestion: string;
}

/** The state of an agent as its monitor sees it. */
export interface Verdict {
  readonly level: Level;
  /** True on the one observation at which the level rose to this one: the moment to act. */
  readonly raised: boolean;
  /** Where the trouble began: the earliest origin among the evidence of the highest level. Null when all is well. */
  readonly since: Origin | null;
  /** The newest known checkpoint from before `since`: the one to restore. Null when none is known. */
  readonly lastGood: Origin | null;
  /** 0 (nothing unusual) to 1 (certain): the highest suspicion of any detector, also below the level of a warning. */
  readonly score: number;
  /** What speaks for it, worst first; empty when all is well. */
  readonly evidence: readonly Evidence[];
}
