/** One message of a conversation between agents and tools. */
export interface TranscriptStep {
  /** Who speaks. */
  readonly who: string;
  /** True for a tool's or terminal's output: it reports, and makes no mistakes of its own. */
  readonly isTool?: boolean;
  /** True when the message acts: it holds code or a tool call. */
  readonly acts?: boolean;
  /** Length of the message, in characters. */
  readonly length: number;
}

/** Where a failed run most likely went wrong. */
export interface MistakeLocation {
  /** Index of the single most likely step. */
  readonly step: number;
  /** Its probability. */
  readonly probability: number;
  /** Index of the step in the middle of the five that most likely hold the mistake, and their probability. */
  readonly around: number;
  readonly aroundProbability: number;
  /** Probability of each step. */
  readonly probabilities: readonly number[];
}

const SHORT = 300;
const AROUND = 2;

/** Weights of a conditional logit on labelled failed runs, fitted once. */
const WEIGHTS = {
  acts: 0.35,
  short: -1.32,
  tool: -1.27,
  firstAct: 1.08,
  last: -1.09,
  lastAct: 0.85,
  sameSpeaker: 0.79,
} as const;

/**
 * The step at which a failed run of several agents most likely took its wrong turn, from form alone (who speaks, who acts, how long): for runs
 * known to have failed, where no text may be read or no judge asked. Right about the exact step in somewhat under half of the cases; so it points, it
 * does not prove.
 *
 * Sources: S. Zhang et al., "Which agent causes task failures and when?", ICML 2025 (the task); D. McFadden, "Conditional logit
 * analysis of qualitative choice behavior" (1974).
 */
export function locateMistake(steps: readonly TranscriptStep[]): MistakeLocation | undefined {
  if (steps.length === 0) return undefined;
  const acts = steps.map((step) => step.acts === true && step.isTool !== true);
  const firstAct = acts.indexOf(true);
  const lastAct = acts.lastIndexOf(true);
  const weights = steps.map((step, i) =>
    Math.exp(
      (acts[i] ? WEIGHTS.acts : 0) +
        (step.length < SHORT ? WEIGHTS.short : 0) +
        (step.isTool === true ? WEIGHTS.tool : 0) +
        (i === firstAct ? WEIGHTS.firstAct : 0) +
        (i === steps.length - 1 ? WEIGHTS.last : 0) +
        (i === lastAct ? WEIGHTS.lastAct : 0) +
        (i > 0 && steps[i - 1]!.who === step.who ? WEIGHTS.sameSpeaker : 0),
    ),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  const probabilities = weights.map((weight) => weight / total);
  const near = probabilities.map((_, i) =>
    probabilities.slice(Math.max(0, i - AROUND), i + AROUND + 1).reduce((a, b) => a + b, 0),
  );
  const step = argMax(probabilities);
  const around = argMax(near);
  return { step, probability: probabilities[step]!, around, aroundProbability: near[around]!, probabilities };
}

function argMax(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
