/**
 * A driver for outside instruments: makes and reads checkpoints through the ordinary public API with default options.
 *
 *   driver.js work DIR N START STEP   N saves that carry the numbers START, START+STEP, ...; prints TRY, ACK and ERR lines
 *   driver.js serve                   reads a directory per line on stdin, prints one JSON line about what can be restored
 */
import { serve } from "./serve.js";
import { work } from "./work.js";

const USAGE = "usage: driver.js work DIR N START STEP | driver.js serve";

function wholeNumber(text: string | undefined, least: number): number {
  const value = Number(text);
  if (text === undefined || !Number.isSafeInteger(value) || value < least) {
    console.error(`${USAGE}\n  expected a whole number of at least ${least}, got ${text}`);
    process.exit(2);
  }
  return value;
}

const [, , command, directory, count, start, step] = process.argv;
if (command === "work" && directory) {
  process.exitCode = await work(
    directory,
    wholeNumber(count, 0),
    wholeNumber(start, 0),
    wholeNumber(step, 1),
  );
} else if (command === "serve") {
  await serve();
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
