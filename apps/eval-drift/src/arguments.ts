import { parseArgs } from "node:util";
import { CkptError } from "@ckpt/errors";

/** What to do: measure, or draw. */
export interface Command {
  /** Directory to draw the pictures of the documentation into. */
  readonly charts: string | undefined;
  readonly evaluate: EvalOptions | undefined;
  readonly help: boolean;
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

/** Reads the command line. Throws `CKPT_INVALID_ARGUMENT` with the usage as its hint. */
export function readArguments(argv: readonly string[]): Command {
  const values = parsed(argv.filter((argument) => argument !== "--"));
  const { data, charts, json, quick, help } = values;
  const seed = values.seed.trim() === "" ? Number.NaN : Number(values.seed);
  if (!Number.isSafeInteger(seed))
    throw wrong(`--seed needs a whole number, not ${JSON.stringify(values.seed)}.`);
  if (!help && data === undefined && charts === undefined)
    throw wrong("No directory of labelled data was given.");
  const evaluate = data === undefined ? undefined : { data, json, quick, seed };
  return { charts, evaluate, help };
}

export const USAGE = `npm run eval:drift -- --data DIR [--json OUT] [--quick] [--seed N]
npm run eval:drift -- --charts DIR

  --data DIR    the labelled data that docs/drift.md names, each set in a directory of its own (nab/, ...)
  --json OUT    all figures and raw scores
  --quick       fewer generated streams: for a look, not for figures
  --seed N      of what is generated (default: 1)
  --charts DIR  draw the pictures of docs/drift.md into DIR
`;

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        data: { type: "string" },
        charts: { type: "string" },
        json: { type: "string" },
        quick: { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause));
  }
}

const wrong = (message: string) => new CkptError("CKPT_INVALID_ARGUMENT", { message, hint: USAGE });
