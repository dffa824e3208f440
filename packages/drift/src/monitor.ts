import { CkptError } from "@ckpt/errors";
import { defaultDetectors } from "./default-detectors.js";
import type { Detector, DetectorEvidence, DetectorJson, DetectorReader } from "./detector.js";
import { corruption } from "./detectors/corruption.js";
import { type JsonObject, JsonReader } from "./json.js";
import { builtInReaders } from "./registry.js";
import type { Signal } from "./signal.js";
import { checkPollers } from "./stall/pollers.js";
import { readOrigin, Trail } from "./trail.js";
import { compareLevels, type Evidence, type Level, type Origin, type Verdict } from "./verdict.js";

const FORMAT = 1;
const MAX_DETECTORS = 256;
const MAX_BUDGET = 1000;

/** An episode stays open this many signals after the last evidence for it, so that a verdict does not flicker. */
const HOLD_SIGNALS = 5;

/** Options of {@link monitor}. */
export interface MonitorOptions {
  /**
   * The one knob: statistical false alarms (verdicts of level `drift`) per 10,000 signals that are acceptable. Lower is
   * quieter and slower. All thresholds derive from it. In (0, 1000].
   * @default 1
   */
  readonly maxFalseAlarmsPer10k?: number;
  /** The statistical detectors, instead of the default ones. Corruption is watched in any case. */
  readonly detectors?: readonly Detector[];
  /** Declared invariants (see `invariant`), in addition to the detectors. */
  readonly invariants?: readonly Detector[];
  /**
   * Tools or actions that may repeat without harm, such as asking a slow job for its status. Compared with the signal's `tool`
   * and `action`; a `*` at the end matches any continuation. Used by the default loop detectors.
   */
  readonly pollers?: readonly string[];
}

/** Options of {@link DriftMonitor.fromJSON}. */
export interface RestoreOptions {
  /** Readers of custom detectors, by their `type`. */
  readonly readers?: Readonly<Record<string, DetectorReader>>;
  /**
   * Detectors that hold functions and cannot be stored (invariants). Matched by name; their stored state is taken over. One of which nothing is
   * stored is new, and watches from now on.
   */
  readonly detectors?: readonly (Detector & { restore?(json: DetectorJson): void })[];
}

/** A monitor with the default detectors, or with those given. */
export function monitor(options: MonitorOptions = {}): DriftMonitor {
  const pollers = checkPollers(options.pollers);
  const chosen = [
    ...checkDetectors("detectors", options.detectors ?? defaultDetectors(pollers)),
    ...checkDetectors("invariants", options.invariants ?? []),
  ];
  if (!chosen.some((detector) => detector.name === "corruption")) chosen.push(corruption());
  return new DriftMonitor(chosen, options.maxFalseAlarmsPer10k ?? 1);
}

function checkDetectors<D extends Detector>(option: string, detectors: readonly D[]): readonly D[] {
  const isDetector = (value: unknown) =>
    typeof (value as Detector | null | undefined)?.observe === "function";
  if (Array.isArray(detectors) && detectors.every(isDetector)) return detectors;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `The option ${option} is no list of detectors.`,
    hint: "Give what the functions return: [shift()], not [shift].",
    details: { option },
  });
}

/**
 * Takes signals in, one per step, and gives one verdict with its evidence. Pure: no clock, no timers, no files; its whole state is a
 * value (`toJSON`), so it can be kept in a checkpoint.
 */
export class DriftMonitor {
  readonly maxFalseAlarmsPer10k: number;
  readonly #detectors: readonly Detector[];
  readonly #share: number;
  #count = 0;
  #trail = new Trail();
  #verdict: Verdict = WELL;
  /** Signals since the last evidence at the episode's level. */
  #quiet = 0;

  constructor(detectors: readonly Detector[], maxFalseAlarmsPer10k: number) {
    if (!(maxFalseAlarmsPer10k > 0 && maxFalseAlarmsPer10k <= MAX_BUDGET)) {
      throw new CkptError("CKPT_INVALID_ARGUMENT", {
        message: `maxFalseAlarmsPer10k is ${maxFalseAlarmsPer10k}.`,
        hint: `Give a number above 0 and at most ${MAX_BUDGET}; 1 is the default.`,
      });
    }
    const names = new Set(detectors.map((detector) => detector.name));
    if (names.size !== detectors.length || detectors.length > MAX_DETECTORS) {
      throw new CkptError("CKPT_INVALID_ARGUMENT", {
        message: `The ${detectors.length} detectors of a monitor need different names, and are at most ${MAX_DETECTORS}.`,
        hint: "Give each detector a name of its own (option `name`).",
        details: { names: detectors.map((detector) => detector.name) },
      });
    }
    this.#detectors = detectors;
    this.maxFalseAlarmsPer10k = maxFalseAlarmsPer10k;
    const statistical = detectors.filter((detector) => detector.certain !== true).length;
    this.#share = maxFalseAlarmsPer10k / Math.max(1, statistical);
  }

  /** Number of signals seen. */
  get count(): number {
    return this.#count;
  }

  /** The detectors, as given: what `fromJSON` needs to bring back those that hold functions. */
  get detectors(): readonly Detector[] {
    return this.#detectors;
  }

  /** Takes one signal in and gives the verdict after it. */
  observe(signal: Signal): Verdict {
    const index = this.#count++;
    this.#trail.add(index, signal);
    const context = { index, maxFalseAlarmsPer10k: this.#share };
    const found: Evidence[] = [];
    let score = 0;
    for (const detector of this.#detectors) {
      const evidence = detector.observe(signal, context);
      if (evidence !== undefined) found.push(this.#locate(detector.name, evidence));
      score = Math.max(score, detector.score?.() ?? evidence?.confidence ?? 0);
    }
    this.#verdict = this.#judge(found, score);
    return this.#verdict;
  }

  /** The verdict after the last signal. */
  verdict(): Verdict {
    return this.#verdict;
  }

  /**
   * Closes the episode: the agent was restored, or a person judged it harmless. The verdict is `ok` again, what is normal stays
   * learned, and checkpoints from within the episode are no longer offered as good ones.
   */
  acknowledge(): void {
    if (this.#verdict.since !== null) this.#trail.dropFrom(this.#verdict.since.index);
    for (const detector of this.#detectors) detector.acknowledge();
    this.#verdict = WELL;
    this.#quiet = 0;
  }

  /** Forgets everything, as if new. */
  reset(): void {
    for (const detector of this.#detectors) detector.reset();
    this.#trail.clear();
    this.#count = 0;
    this.#verdict = WELL;
    this.#quiet = 0;
  }

  /** The whole monitor as JSON. */
  toJSON(): JsonObject {
    return {
      format: FORMAT,
      maxFalseAlarmsPer10k: this.maxFalseAlarmsPer10k,
      count: this.#count,
      quiet: this.#quiet,
      trail: this.#trail.toJSON(),
      verdict: verdictToJson(this.#verdict),
      detectors: this.#detectors.map((detector) => detector.toJSON()),
    };
  }

  /**
   * The monitor that `toJSON` stored; it goes on bit-identically.
   *
   * @throws CKPT_INVALID_ARGUMENT when the JSON is not of the documented shape, CKPT_NEWER_VERSION when a later version wrote it,
   * CKPT_UNKNOWN_DETECTOR when it holds a detector that is neither built in nor given in `options`.
   */
  static fromJSON(json: unknown, options: RestoreOptions = {}): DriftMonitor {
    const reader = new JsonReader(json, "monitor");
    if (reader.integer("format") > FORMAT) {
      throw new CkptError("CKPT_NEWER_VERSION", {
        message: `The stored monitor has format ${reader.integer("format")}; this version knows ${FORMAT}.`,
        hint: "Update @ckpt/drift, or start a new monitor.",
      });
    }
    const stored = reader
      .array("detectors", MAX_DETECTORS)
      .map((detector, i) => readDetector(detector, i, options));
    const added = (options.detectors ?? []).filter((given) => !stored.includes(given));
    const restored = new DriftMonitor([...stored, ...added], reader.number("maxFalseAlarmsPer10k"));
    restored.#count = reader.integer("count");
    restored.#quiet = reader.integer("quiet");
    restored.#trail = Trail.fromJSON(reader.objects("trail", Trail.capacity));
    restored.#verdict = readVerdict(reader.object("verdict"));
    return restored;
  }

  #locate(detector: string, evidence: DetectorEvidence): Evidence {
    return { detector, ...evidence, since: this.#trail.at(evidence.since) };
  }

  /** Keeps an episode open through short gaps; its origin only ever moves back. */
  #judge(found: Evidence[], score: number): Verdict {
    const before = this.#verdict;
    found.sort((a, b) => compareLevels(b.level, a.level) || b.confidence - a.confidence);
    const worst = found[0];
    const level: Level = worst?.level ?? "ok";
    if (compareLevels(level, before.level) >= 0) this.#quiet = 0;
    else if (++this.#quiet <= HOLD_SIGNALS || before.level === "corrupt")
      return { ...before, raised: false, score };
    else this.#quiet = 0;
    if (worst === undefined) return score === 0 ? WELL : { ...WELL, score };
    let since = earliest(found.filter((evidence) => evidence.level === worst.level));
    if (before.level === level && before.since !== null && before.since.index < since.index)
      since = before.since;
    return {
      level,
      raised: compareLevels(level, before.level) > 0,
      since,
      lastGood: this.#trail.lastBefore(since.index),
      score: Math.max(score, worst.confidence),
      evidence: found,
    };
  }
}

const WELL: Verdict = Object.freeze({
  level: "ok",
  raised: false,
  since: null,
  lastGood: null,
  score: 0,
  evidence: Object.freeze([]),
});

function earliest(evidence: readonly Evidence[]): Origin {
  return evidence.map((e) => e.since).reduce((a, b) => (b.index < a.index ? b : a));
}

function readDetector(stored: unknown, i: number, options: RestoreOptions): Detector {
  const reader = new JsonReader(stored, `monitor.detectors[${i}]`);
  const type = reader.string("type");
  const name = reader.string("name");
  const given = options.detectors?.find((detector) => detector.name === name);
  if (given !== undefined) {
    given.restore?.(stored as DetectorJson);
    return given;
  }
  const readers: Readonly<Record<string, DetectorReader>> = { ...builtInReaders, ...options.readers };
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (read !== undefined) return read(stored as DetectorJson);
  throw new CkptError("CKPT_UNKNOWN_DETECTOR", {
    message: `The stored monitor holds the detector "${name}" of type "${type}", which is not built in.`,
    hint: "Pass its reader in `readers`, or, when it holds functions (an invariant), the detector itself in `detectors`.",
    details: { name, type },
  });
}

function verdictToJson(verdict: Verdict): JsonObject {
  return JSON.parse(JSON.stringify(verdict)) as JsonObject;
}

function readVerdict(reader: JsonReader): Verdict {
  const level = readLevel(reader.string("level"));
  if (level === "ok") return { ...WELL, score: reader.number("score") };
  return {
    level,
    raised: reader.boolean("raised"),
    since: readOrigin(reader.object("since")),
    lastGood: reader.value("lastGood") === null ? null : readOrigin(reader.object("lastGood")),
    score: reader.number("score"),
    evidence: reader.objects("evidence", MAX_DETECTORS).map(readEvidence),
  };
}

function readLevel(text: string): Level {
  if (text === "ok" || text === "warn" || text === "drift" || text === "corrupt") return text;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: `A stored verdict has the level "${text}".`,
    hint: "Restore the monitor from what toJSON() returned, or start a new one with monitor().",
  });
}

function readEvidence(reader: JsonReader): Evidence {
  const level = readLevel(reader.string("level"));
  const scalar = (key: string): number | string | null => {
    const v = reader.value(key);
    return typeof v === "string" || v === null ? v : reader.number(key);
  };
  return {
    detector: reader.string("detector"),
    metric: reader.string("metric"),
    level: level === "ok" ? "warn" : level,
    before: scalar("before"),
    after: scalar("after"),
    window: reader.number("window"),
    since: readOrigin(reader.object("since")),
    confidence: reader.number("confidence"),
    message: reader.string("message"),
    suggestion: reader.string("suggestion"),
  };
}
