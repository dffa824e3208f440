/**
 * The program that a mutant is bundled into: runs instruments on the store, one after another until one finds a breach, and prints one JSON
 * line. Its argument is a {@link Task} as JSON.
 */
import { benchWith } from "./bench.js";
import { INSTRUMENTS, type InstrumentName } from "./instruments/index.js";
import type { Removal } from "./mutant.js";

export interface Task {
  readonly instruments: readonly InstrumentName[];
  readonly removals: readonly Removal[];
}

export interface Answer {
  /** The instrument that found something; undefined when none did. */
  readonly instrument?: InstrumentName;
  readonly breach?: string;
  /** Milliseconds of each instrument that ran. */
  readonly ms: Readonly<Record<string, number>>;
}

const TASK = process.argv[2];

async function main({ instruments, removals }: Task): Promise<Answer> {
  const bench = benchWith(removals);
  const ms: Record<string, number> = {};
  for (const instrument of instruments) {
    const started = performance.now();
    let breach: string | undefined;
    try {
      breach = await INSTRUMENTS[instrument](bench);
    } catch (error) {
      // No missing safeguard, but code that cannot run.
      if (error instanceof ReferenceError) throw error;
      breach = `a call failed that should not: ${error instanceof Error ? `${error.message} ${(error.stack ?? "").split("\n")[1]?.trim() ?? ""}` : String(error)}`;
    }
    ms[instrument] = Math.round(performance.now() - started);
    if (breach !== undefined) return { instrument, breach, ms };
  }
  return { ms };
}

main(JSON.parse(TASK ?? "{}") as Task).then(
  (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0)),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
