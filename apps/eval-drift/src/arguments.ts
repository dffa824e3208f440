import { parseArgs } from "node:util";
import { CkptError } from "@ckpt/errors";

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

/** Reads `--data DIR [--json OUT] [--quick] [--seed N]`. */
export function readArguments(argv: readonly string[]): EvalOptions {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== "--"),
    options: {
      data: { type: "string" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
    },
  });
  if (values.data === undefined) {
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: "No directory of labelled data was given.",
      hint: "Call it as: npm run eval:drift -- --data DIR [--json OUT] [--quick] [--seed N]",
    });
  }
  return { data: values.data, json: values.json, quick: values.quick, seed: Number(values.seed) };
}
