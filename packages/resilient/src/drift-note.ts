import { createHash } from "node:crypto";
import type { Json } from "@ckpt/core";
import { type Detector, DriftMonitor, type JsonObject, JsonReader, monitor, unusual } from "@ckpt/drift";

/** The note that the monitor's state is kept under. */
export const DRIFT_TOPIC = "ckpt.drift";

const MAX_DETECTORS = 256;

/** The types of the detectors that learn by themselves, and are read from what they stored. */
const LEARNING_TYPES: ReadonlySet<string> = new Set(
  [...monitor().detectors, unusual("any")].map((detector) => detector.toJSON().type),
);

/** Whether the caller declared it (an invariant, a detector of its own): it may read states, and holds functions. */
export function isDeclared(detector: Detector): boolean {
  return !LEARNING_TYPES.has(detector.toJSON().type);
}

/** Short names of the detectors' configurations: of what each stores when it has seen nothing. */
export type DriftConfig = { readonly [detector: string]: string };

export function configOf(fresh: DriftMonitor): DriftConfig {
  const hash = (json: unknown) =>
    createHash("sha256").update(JSON.stringify(json)).digest("hex").slice(0, 16);
  return Object.fromEntries(fresh.detectors.map((detector) => [detector.name, hash(detector.toJSON())]));
}

/** The body of the note. */
export function driftNote(watch: DriftMonitor, config: DriftConfig): Json {
  return { config, monitor: watch.toJSON() };
}

/**
 * The stored monitor as far as it is configured the same now: a detector whose configuration is another one, or that was
 * not there, begins anew. Throws when the note is not of the documented shape.
 */
export function resumeFrom(note: Json, fresh: DriftMonitor, config: DriftConfig): DriftMonitor {
  const reader = new JsonReader(note, DRIFT_TOPIC);
  const storedConfig = reader.object("config");
  const states = reader.object("monitor").array("detectors", MAX_DETECTORS);
  const byName = new Map(states.map((state) => [new JsonReader(state, DRIFT_TOPIC).string("name"), state]));
  const detectors = fresh.detectors.map((detector) => {
    const { name } = detector;
    const isSame = storedConfig.has(name) && storedConfig.value(name) === config[name];
    return (isSame ? byName.get(name) : undefined) ?? detector.toJSON();
  });
  const { maxFalseAlarmsPer10k } = fresh;
  const stored = reader.value("monitor") as JsonObject;
  return DriftMonitor.fromJSON(
    { ...stored, detectors, maxFalseAlarmsPer10k },
    { detectors: fresh.detectors.filter(isDeclared) },
  );
}
