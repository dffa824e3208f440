import type { RunStep } from "./intercode-data.js";

/** A rule that stops a run: the index of the step after which it would, or -1. */
export type StopRule = (steps: readonly RunStep[]) => number;

const firstWhere = (steps: readonly RunStep[], stop: (soFar: readonly RunStep[]) => boolean): number => {
  for (let i = 0; i < steps.length; i++) if (stop(steps.slice(0, i + 1))) return i;
  return -1;
};

const same = (values: readonly string[]): boolean => values.every((value) => value === values[0]);
const pair = (step: RunStep): string => `${step.ah} ${step.oh}`;

/** The rules of OpenHands' stuck detector: four equal steps, three equal actions that fail, or two steps alternating three times. */
export const openHands: StopRule = (steps) =>
  firstWhere(steps, (soFar) => {
    const last = (n: number) => (soFar.length < n ? undefined : soFar.slice(-n));
    const four = last(4);
    const three = last(3);
    const six = last(6);
    return (
      (four !== undefined && same(four.map(pair))) ||
      (three !== undefined && same(three.map((s) => s.ah)) && three.every((s) => s.err)) ||
      (six !== undefined &&
        same([six[0]!, six[2]!, six[4]!].map(pair)) &&
        same([six[1]!, six[3]!, six[5]!].map(pair)))
    );
  });

/** The rule of gemini-cli's loop detector for tool calls: five equal calls in a row. */
export const geminiCli: StopRule = (steps) =>
  firstWhere(steps, (soFar) => soFar.length >= 5 && same(soFar.slice(-5).map((s) => s.ah)));

/** The same observation for the third time. */
export const sameObservation3: StopRule = (steps) =>
  firstWhere(steps, (soFar) => soFar.filter((s) => s.oh === soFar.at(-1)!.oh).length >= 3);

/** A plain limit on the number of steps. */
export const turnCap =
  (turns: number): StopRule =>
  (steps) =>
    steps.length >= turns ? turns - 1 : -1;
