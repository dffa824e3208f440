import { parseArgs } from "node:util";
import { CkptError } from "@ckpt/errors";

export interface Flags {
  readonly folder: string | undefined;
  readonly mailbox: string | undefined;
  readonly store: string | undefined;
  readonly kills: number | undefined;
  readonly seed: number | undefined;
  readonly steps: number | undefined;
  readonly resume: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export const HELP = `An agent that is killed again and again, and loses nothing.

  --folder DIR    the folder that the agent works on (default: this repository)
  --mailbox DIR   where tasks are dropped: each file is one (default: mailbox/ in the store)
  --store DIR     where the run is kept; new or empty, unless with --resume (default: a fresh one under .ckpt/demo)
  --kills N       how many times the agent's process is killed, 0 to 100 (default: 5)
  --seed N        moments of the kills, order of the tasks and timing of the model (default: 7)
  --steps N       stop after N steps; the run can be resumed (default: until all tasks are done)
  --resume        go on with the run in --store, or with the newest one under .ckpt/demo
  --json          print the summary as JSON on stdout, everything else on stderr
  --help          this text

The model is a deterministic script, through the AI SDK's own mock model. To use a real one, set CKPT_MODEL_URL (an
OpenAI-compatible base URL), CKPT_MODEL_NAME and, where the endpoint wants one, CKPT_MODEL_KEY.

Exit code: 0; 1 when an acknowledged step was lost or the run failed; 2 for wrong arguments; 130 after Ctrl-C.
`;

/** Reads the command line. Throws `CKPT_INVALID_ARGUMENT` that names the flag. */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parse(args);
  return {
    folder: nonEmpty("--folder", values.folder),
    mailbox: nonEmpty("--mailbox", values.mailbox),
    store: nonEmpty("--store", values.store),
    kills: wholeNumber("--kills", values.kills, 0, 100),
    seed: wholeNumber("--seed", values.seed, 0, 4_294_967_295),
    steps: wholeNumber("--steps", values.steps, 1, 100_000),
    resume: values.resume ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      // `npm start -- --flag` may hand a bare "--" through.
      args: args[0] === "--" ? args.slice(1) : [...args],
      strict: true,
      allowPositionals: false,
      options: {
        folder: { type: "string" },
        mailbox: { type: "string" },
        store: { type: "string" },
        kills: { type: "string" },
        seed: { type: "string" },
        steps: { type: "string" },
        resume: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.split(". ", 1)[0]! : String(cause);
    throw new CkptError("CKPT_INVALID_ARGUMENT", { message, hint: "--help lists the flags.", cause });
  }
}

function nonEmpty(flag: string, value: string | undefined): string | undefined {
  if (value === "") throw invalid(`${flag} needs a directory.`);
  return value;
}

function wholeNumber(flag: string, value: string | undefined, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw invalid(`${flag} needs a whole number from ${min} to ${max}, not ${JSON.stringify(value)}.`);
  }
  return number;
}

const invalid = (message: string): CkptError =>
  new CkptError("CKPT_INVALID_ARGUMENT", { message, hint: "--help lists the flags." });
