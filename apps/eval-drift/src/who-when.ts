import { locateMistake } from "@ckpt/drift";
import { readJsonLines } from "./data.js";
import { compare, percent, type Section } from "./report.js";

interface FailedRun {
  readonly id: string;
  readonly mistakeStep: number;
  readonly steps: readonly { readonly who: string; readonly len: number; readonly code: boolean }[];
}

/** Who&When, Algorithm-Generated: the step of the mistake. */
export async function evaluateWhoWhen(root: string): Promise<Section> {
  const all = await readJsonLines<FailedRun>(root, "whowhen.jsonl");
  const runs = all.filter((run) => run.id.startsWith("Algorithm-Generated"));
  const located = runs.map((run) => {
    const steps = run.steps.map((s) => ({
      who: s.who,
      isTool: /terminal/i.test(s.who),
      acts: s.code,
      length: s.len,
    }));
    return { run, location: locateMistake(steps)! };
  });
  const share = (hit: (l: (typeof located)[number]) => boolean): number =>
    located.filter(hit).length / located.length;
  const constant = (guess: number): string[] => [
    `always step ${guess}`,
    percent(share((l) => l.run.mistakeStep === guess)),
    percent(share((l) => Math.abs(l.run.mistakeStep - guess) <= 2)),
  ];
  return {
    id: 5,
    title: `Who&When, Algorithm-Generated (${runs.length} failed runs): step of the mistake`,
    figures: [
      compare(
        "exact, by the most likely step",
        share((l) => l.location.step === l.run.mistakeStep),
        ">=",
        0.38,
        percent,
      ),
      compare(
        "within 2, by the middle of the likeliest five",
        share((l) => Math.abs(l.location.around - l.run.mistakeStep) <= 2),
        ">=",
        0.76,
        percent,
      ),
      {
        what: "within 2, by the most likely step",
        reached: percent(share((l) => Math.abs(l.location.step - l.run.mistakeStep) <= 2)),
        bar: "",
      },
    ],
    baselines: [["", "exact", "within 2"], constant(1), constant(2), constant(3)],
    notes: [
      "The weights were fitted on the development runs: on those, these figures flatter; left one out, they are 50 % and 78 %.",
    ],
    raw: located.map(({ run, location }) => ({ id: run.id, mistakeStep: run.mistakeStep, ...location })),
  };
}
