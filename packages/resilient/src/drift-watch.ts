import type {
  AgentState,
  CheckpointHeader,
  Logger,
  Snapshot,
  SnapshotOptions,
  StoreEntry,
  StoreFinding,
} from "@ckpt/core";
import { DriftMonitor, type MonitorOptions, monitor, type Signal, type Verdict } from "@ckpt/drift";
import { configOf, DRIFT_TOPIC, type DriftConfig, driftNote, isDeclared, resumeFrom } from "./drift-note.js";

/** The monitor's state (some 30 KB) rides on a save when this many signals came since it last did ... */
const NOTE_EVERY_SIGNALS = 1_024;
/** ... or this many milliseconds passed. */
const NOTE_EVERY_MS = 60_000;

/** Detectors that hold functions (declared invariants) see every saved state; learned ones at most one in so many milliseconds. */
const STATE_EVERY_MS = 100;

/** Names whose checkpoints repeat a state by design: their hash says nothing about drift. */
const REPEATING_NAMES: ReadonlySet<string> = new Set(["recovery", "pre_operation", "safety", "fork"]);

const ALL_WELL: Verdict = Object.freeze({
  level: "ok",
  raised: false,
  since: null,
  lastGood: null,
  score: 0,
  evidence: Object.freeze([]),
});

export const isDrift = (verdict: Verdict): boolean =>
  verdict.level === "drift" || verdict.level === "corrupt";

interface DriftWatchSettings {
  readonly drift: DriftMonitor | MonitorOptions | false | undefined;
  readonly codecs: SnapshotOptions["codecs"];
  readonly logger: Logger;
  readonly onDrift: (verdict: Verdict) => void;
}

/** Feeds the monitor with what the manager sees, and keeps the monitor's own state with the checkpoints. */
export class DriftWatch {
  #monitor: DriftMonitor | undefined;
  readonly #settings: DriftWatchSettings;
  #signalsSinceNote = 0;
  #notedAtMs = performance.now();
  #findings: StoreFinding[] = [];
  #stateAtMs = Number.NEGATIVE_INFINITY;
  /** Whether a detector was declared by the caller, and reads states. */
  readonly #readsValues: boolean;
  readonly #config: DriftConfig;

  constructor(settings: DriftWatchSettings) {
    const { drift } = settings;
    this.#settings = settings;
    this.#monitor =
      drift === false ? undefined : drift instanceof DriftMonitor ? drift : monitor(drift ?? {});
    this.#readsValues = this.#monitor?.detectors.some(isDeclared) ?? false;
    this.#config = this.#monitor === undefined ? {} : configOf(this.#monitor);
  }

  /** What was found wrong goes out with the next signal. */
  addFindings(findings: readonly StoreFinding[]): void {
    if (this.#monitor !== undefined) this.#findings.push(...findings);
  }

  observe(signal: Signal): Verdict {
    if (this.#monitor === undefined) return ALL_WELL;
    const wasDrift = isDrift(this.#monitor.verdict());
    const findings = this.#findings;
    this.#findings = [];
    const verdict = this.#monitor.observe(
      findings.length === 0 ? signal : { ...signal, findings: [...findings, ...(signal.findings ?? [])] },
    );
    this.#signalsSinceNote++;
    if (!wasDrift && isDrift(verdict)) this.#settings.onDrift(verdict);
    return verdict;
  }

  /** A save as a signal: which checkpoint, how big, which state. */
  observeSave(header: CheckpointHeader, state: Snapshot): void {
    if (this.#monitor === undefined) return;
    this.observe({
      checkpointId: header.id,
      sequence: header.sequence,
      metrics: { bytes: header.stateBytes },
      ...(REPEATING_NAMES.has(header.name) ? {} : { stateHash: header.stateHash }),
      ...this.#stateOf(state),
    });
  }

  /**
   * A state for the detectors. What is declared about it speaks of the caller's values; what is learned goes by the frozen normal
   * form, which costs nothing to hand out.
   */
  #stateOf(state: Snapshot): { readonly state?: unknown } {
    if (this.#readsValues) return { state: state.toValue(this.#settings.codecs) };
    const nowMs = performance.now();
    if (nowMs - this.#stateAtMs < STATE_EVERY_MS) return {};
    this.#stateAtMs = nowMs;
    return { state: state.root };
  }

  /**
   * The sequence from which on checkpoints are under suspicion; undefined without one. Where the sign was no save, everything behind
   * the last good checkpoint is.
   */
  get suspectedSince(): number | undefined {
    const { since, lastGood } = this.verdict();
    if (since === null) return undefined;
    return since.sequence ?? (lastGood?.sequence === undefined ? undefined : lastGood.sequence + 1);
  }

  /** The checkpoint to go back to, while there is a suspicion. */
  get lastGoodId(): string | undefined {
    return this.verdict().lastGood?.checkpointId;
  }

  verdict(): Verdict {
    return this.#monitor?.verdict() ?? ALL_WELL;
  }

  acknowledge(): void {
    this.#monitor?.acknowledge();
    this.#signalsSinceNote++;
  }

  /** The entry that keeps the monitor's state, when it is due; `always`, whenever anything changed. */
  noteEntries(agentId: string, always = false): readonly StoreEntry[] {
    if (this.#monitor === undefined || this.#signalsSinceNote === 0) return [];
    const nowMs = performance.now();
    const due = this.#signalsSinceNote >= NOTE_EVERY_SIGNALS || nowMs - this.#notedAtMs >= NOTE_EVERY_MS;
    if (!due && !always) return [];
    this.#signalsSinceNote = 0;
    this.#notedAtMs = nowMs;
    const body = driftNote(this.#monitor, this.#config);
    return [{ op: "event", agentId, event: { kind: "note", topic: DRIFT_TOPIC, body } }];
  }

  /**
   * Goes on where the stored monitor was, unless this one has seen something already. What is configured now counts: a
   * detector whose configuration is another one, or that was not there, begins anew.
   */
  resume(agent: AgentState | undefined): void {
    const note = agent?.notes[DRIFT_TOPIC];
    if (this.#monitor === undefined || this.#monitor.count > 0 || note === undefined) return;
    try {
      this.#monitor = resumeFrom(note, this.#monitor, this.#config);
    } catch (error) {
      // What is normal has to be learned anew; the history itself is not touched by it.
      const fields = { agentId: agent?.agentId, error };
      this.#settings.logger.warn("the stored drift monitor could not be read; a new one begins", fields);
    }
  }
}
