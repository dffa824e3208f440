import { access } from "node:fs/promises";
import { join } from "node:path";
import type { DriftMonitor, Signal, Verdict } from "@ckpt/drift";

/** A seeded generator for tests: uniform numbers and normal ones. */
export function generator(seed: number) {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 16), 0x21f0aaad);
    t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 4294967296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** Feeds the signals and returns all verdicts. */
export function watch(monitor: DriftMonitor, signals: readonly Signal[]): Verdict[] {
  return signals.map((signal) => monitor.observe(signal));
}

/** Numbers of the signals at which the verdict rose to drift. */
export function alarms(verdicts: readonly Verdict[]): number[] {
  return verdicts.flatMap((verdict, i) => (verdict.raised && verdict.level === "drift" ? [i] : []));
}

/** A step that brings something new. */
export function freshStep(i: number): Signal {
  return { action: `read file-${i}.ts`, observation: `contents ${i * 7919} of module ${i}`, outcome: "ok" };
}

const DATA = join(import.meta.dirname, "../../../../shared/data/drift");

/** The directory of labelled data, or undefined (and a line that says so) where it is absent. */
export async function labelledData(): Promise<string | undefined> {
  try {
    await access(DATA);
    return DATA;
  } catch {
    console.log("skipped: no data");
    return undefined;
  }
}
