import { writeFile } from "node:fs/promises";
import { isCkptError } from "@ckpt/errors";
import { type EvalOptions, readArguments, USAGE } from "./arguments.js";
import { drawCharts } from "./charts.js";
import { evaluateCorruption } from "./corruption.js";
import { evaluateCost } from "./cost.js";
import { evaluateModelSwitch } from "./model-switch.js";
import { evaluateNab } from "./nab.js";
import { evaluateParity } from "./parity.js";
import { print, type Section } from "./report.js";
import { evaluateStall } from "./stall.js";
import { evaluateSynthetic } from "./synthetic.js";
import { evaluateSiblings } from "./tau.js";
import { evaluateWhoWhen } from "./who-when.js";

/** Measures everything, section by section, printing as it goes. */
async function run(options: EvalOptions): Promise<void> {
  const parts: (() => Section | Promise<Section>)[] = [
    () => evaluateNab(options.data),
    () => evaluateSynthetic(options),
    () => evaluateModelSwitch(options.data),
    () => evaluateStall(options),
    () => evaluateWhoWhen(options.data),
    () => evaluateSiblings(options.data),
    () => evaluateParity(options.data),
    () => evaluateCost(options.quick, options.seed),
    () => evaluateCorruption(options.seed),
  ];
  const sections: Section[] = [];
  console.log(`Drift detection on ${options.data}: the default configuration, only level drift is an alarm.`);
  for (const part of parts) {
    const section = await part();
    sections.push(section);
    console.log(print(section));
  }
  const missed = sections.flatMap((s) =>
    s.figures.filter((f) => f.met === false).map((f) => `${s.id}: ${f.what} ${f.reached} (${f.bar})`),
  );
  console.log(
    missed.length === 0 ? "\nAll bars are met." : `\nMissed:\n${missed.map((m) => `  ${m}`).join("\n")}`,
  );
  if (options.json !== undefined) {
    await writeFile(
      options.json,
      `${JSON.stringify({ seed: options.seed, quick: options.quick, sections })}\n`,
    );
    console.log(`Figures and raw scores: ${options.json}`);
  }
}

try {
  const { charts, evaluate, help } = readArguments(process.argv.slice(2));
  if (help) console.log(USAGE);
  if (charts !== undefined) console.log((await drawCharts(charts)).join("\n"));
  if (evaluate !== undefined) await run(evaluate);
} catch (error) {
  console.error(isCkptError(error) ? error.toString() : error);
  process.exitCode = isCkptError(error, "CKPT_INVALID_ARGUMENT") ? 2 : 1;
}
