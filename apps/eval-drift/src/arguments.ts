import { parseArgs } from "node:util";
import { CkptError } from "@ckpt/errors";

/** What to do: measure, or draw. */
export interface Command {
  /** Directory to draw the pictures of the documentation into. */
  readonly charts: string | undefined;
  readonly evaluate: EvalOptions | undefined;
}

/** What to measure, and how long to take over it. */
export interface EvalOptions {
  /** Directory of the labelled data. */
  readonly data: string;
  /** Where to write all figures and raw scores. */
  readonly json: string | undefined;
  /** Fewer generated streams: for a look, not for figures. */
  readonly quick: boolean;
  readonly seed: number;
}

/** Reads `--data DIR [--json OUT] [--quick] [--seed N]` and `--charts DIR`. */
export function readArguments(argv: readonly string[]): Command {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== "--"),
    options: {
      data: { type: "string" },
      charts: { type: "string" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
    },
  });
  if (values.data === undefined && values.charts === undefined) {
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: "No directory of labelled data was given.",
      hint: "Call it as: npm run eval:drift -- --data DIR [--json OUT] [--quick] [--seed N]",
    });
  }
  const { data, json, quick } = values;
  const evaluate = data === undefined ? undefined : { data, json, quick, seed: Number(values.seed) };
  return { charts: values.charts, evaluate };
}
