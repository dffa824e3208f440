import { between, random } from "../shared/random.js";

/** One kill: at which step of a process's life, and where in it. */
export interface KillMoment {
  /** How many steps the process begins before the one in which it is killed. */
  readonly afterSteps: number;
  readonly phase: "working" | "saving";
  /** Where in the phase, 0 to 1 of its usual length. */
  readonly fraction: number;
}

/** Moments for `kills` kills, spread over a run of about `expectedSteps` steps; the same for the same seed. */
export function killPlan(kills: number, seed: number, expectedSteps: number): KillMoment[] {
  const draw = random(seed, 2);
  const share = Math.max(1, Math.floor(expectedSteps / (kills + 1)));
  return Array.from({ length: kills }, () => ({
    afterSteps: between(draw, Math.max(0, Math.floor(share / 2)), share),
    phase: draw() < 0.7 ? "working" : "saving",
    fraction: draw(),
  }));
}
