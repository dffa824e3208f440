import type { SignalOption } from "@ckpt/core";
import type { Signal, Verdict } from "@ckpt/drift";
import { invalidArgument } from "./errors.js";

/** Where the loop gets its time from; a test puts its own here. */
export interface LoopClock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` fires. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Options of {@link superviseLoop}. */
export interface LoopOptions extends SignalOption {
  /** Milliseconds between `routine` checkpoints. Default 1,800,000 (30 minutes). */
  readonly routineEveryMs?: number | undefined;
  /** A `routine` checkpoint after every step as well. Default false. */
  readonly everyStep?: boolean | undefined;
  /** Milliseconds after which a `recovery` checkpoint is taken and the state refreshed from it. Default 7,200,000 (2 hours); Infinity: never. */
  readonly refreshEveryMs?: number | undefined;
  /** What a refresh does once its checkpoint is safe. Default: the state is restored from it, which rebuilds the live objects. */
  readonly refresh?: (() => void | Promise<void>) | undefined;
  /** Ends the loop after this many steps. Default: no limit. */
  readonly maxSteps?: number | undefined;
  /** Errors in a row before the loop gives up with `CKPT_LOOP_FAILED`. Default 10. */
  readonly maxConsecutiveErrors?: number | undefined;
  /** Pause after an error, milliseconds; doubles with each further one in a row. Default 1,000. */
  readonly minErrorDelayMs?: number | undefined;
  /** The longest such pause, milliseconds. Default 60,000. */
  readonly maxErrorDelayMs?: number | undefined;
  /**
   * Restores for drift without `routineEveryMs` of quiet in between before the loop gives up with `CKPT_LOOP_FAILED`. Each goes
   * back further than the one before. Default 5.
   */
  readonly maxDriftRestores?: number | undefined;
  /** Called when drift was noticed, before the restore. What it returns or resolves to counts: `"ignore"` judges the drift harmless. */
  readonly onDrift?: ((verdict: Verdict) => unknown) | undefined;
  /** Called with every error that the loop goes on after. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Turn SIGTERM and SIGINT into a final checkpoint and an end of the loop. Default true. */
  readonly handleSignals?: boolean | undefined;
  /** How long a step may go on once the loop is to end, milliseconds; then the final checkpoint is taken without it. Default 10,000. */
  readonly graceMs?: number | undefined;
  readonly clock?: LoopClock | undefined;
}

/** What a step is told, and tells. */
export interface StepContext {
  /** 1, 2, 3, ... within this run of the loop. */
  readonly number: number;
  /** Fires when the loop is to end: finish soon. */
  readonly signal: AbortSignal;
  /** Tells the drift monitor what happened: call it once per tool call or step. `durationMs` and `tokens` are metrics by themselves. */
  observe(observation: StepObservation): Verdict;
  /** Ends the loop after this step. */
  stop(): void;
}

/** A drift signal, with the usual metrics as fields of their own. */
export interface StepObservation extends Omit<Signal, "checkpointId" | "sequence"> {
  readonly durationMs?: number | undefined;
  readonly tokens?: number | undefined;
}

/** Why the loop ended. */
export type LoopEnd = "stopped" | "max-steps" | "aborted" | "SIGTERM" | "SIGINT";

/** What the loop did. */
export interface LoopSummary {
  readonly reason: LoopEnd;
  readonly steps: number;
  readonly errors: number;
  readonly routineCheckpoints: number;
  readonly recoveryCheckpoints: number;
  readonly driftRestores: number;
  readonly refreshes: number;
  /** The checkpoint that was taken at the end; null when that failed, which `finalError` tells. */
  readonly finalCheckpointId: string | null;
  readonly finalError: unknown;
}

export const LOOP_DEFAULTS = Object.freeze({
  routineEveryMs: 1_800_000,
  everyStep: false,
  refreshEveryMs: 7_200_000,
  maxSteps: Number.POSITIVE_INFINITY,
  maxConsecutiveErrors: 10,
  minErrorDelayMs: 1_000,
  maxErrorDelayMs: 60_000,
  maxDriftRestores: 5,
  handleSignals: true,
  graceMs: 10_000,
});

export type LoopSettings = LoopOptions & {
  readonly [K in keyof typeof LOOP_DEFAULTS]: NonNullable<LoopOptions[K]>;
} & {
  readonly clock: LoopClock;
};

/** The options with their defaults. Throws `CKPT_INVALID_ARGUMENT` for numbers that cannot be meant. */
export function loopSettings(options: LoopOptions): LoopSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = { clock: systemClock, ...LOOP_DEFAULTS, ...given } as LoopSettings;
  for (const [name, fallback] of Object.entries(LOOP_DEFAULTS)) {
    const value: unknown = settings[name as keyof typeof LOOP_DEFAULTS];
    if (typeof fallback !== "number" || (typeof value === "number" && value >= 0)) continue;
    throw invalidArgument(`${name} is ${String(value)}`, `Give ${name} as a number from 0, or Infinity.`, {
      option: name,
    });
  }
  return settings;
}

const systemClock: LoopClock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      // The longest that a timer can wait is 2^31 - 1 ms.
      const timer = setTimeout(done, Math.min(ms, 2_147_483_647));
      signal.addEventListener("abort", done, { once: true });
    }),
};
