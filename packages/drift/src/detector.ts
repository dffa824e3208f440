import type { JsonObject } from "./json.js";
import type { Signal } from "./signal.js";
import type { Evidence } from "./verdict.js";

/** What a detector is told besides the signal. */
export interface DetectorContext {
  /** Number of this signal, counted from 0. */
  readonly index: number;
  /** False alarms per 10,000 signals that this detector may raise: its share of the monitor's budget. */
  readonly maxFalseAlarmsPer10k: number;
}

/** What a detector returns: evidence whose `since` is the number of the signal where it began. The monitor adds the checkpoint. */
export interface DetectorEvidence extends Omit<Evidence, "since" | "detector"> {
  readonly since: number;
}

/** What a detector stores of itself. `type` finds its reader, `name` its place in the monitor. */
export interface DetectorJson extends JsonObject {
  readonly type: string;
  readonly name: string;
}

/**
 * A streaming detector: a value with a bounded memory, no clock, no timers, no input or output.
 *
 * Statistical detectors keep their false alarms within `context.maxFalseAlarmsPer10k`; declared and verified facts
 * (invariants, corruption) need no budget. A detector goes on returning evidence as long as what it found lasts, so that the
 * monitor can tell a lasting trouble from a passed one.
 */
export interface Detector {
  /** Unique within a monitor; appears in the evidence. */
  readonly name: string;
  /** True when its evidence is a fact (declared or verified), not a statistical finding: it takes no share of the budget. */
  readonly certain?: boolean;
  /** Takes one signal in, and says what speaks against the agent now. */
  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined;
  /** Suspicion after the last signal, 0 to 1, also below the level of a warning. Default: the evidence's confidence. */
  score?(): number;
  /** Forgets the episode (the agent was restored, or a person judged it harmless); what is normal stays learned. */
  acknowledge(): void;
  /** Forgets everything. */
  reset(): void;
  /** The whole detector as JSON; its reader gives back one that behaves bit-identically. */
  toJSON(): DetectorJson;
}

/** Gives back the detector that `toJSON` stored. */
export type DetectorReader = (json: DetectorJson) => Detector;
