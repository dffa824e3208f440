import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { JsonReader } from "../json.js";
import type { CorruptionFinding, Signal } from "../signal.js";

const TYPE = "corruption";
/** Findings come from elsewhere, and are stored: their texts are cut to so many characters. */
const MAX_LENGTH = 500;

/**
 * Turns what the store's reads and verification found (`signal.findings`) into evidence of the highest level. It is a fact, so it
 * bypasses statistics, and it stays until it is acknowledged: damage does not pass by itself.
 */
export function corruption(): Detector {
  return new Corruption();
}

class Corruption implements Detector {
  readonly name = TYPE;
  readonly certain = true;
  #found: DetectorEvidence | undefined;
  #count = 0;

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    const first = signal.findings?.[0];
    if (first !== undefined) {
      this.#count += signal.findings!.length;
      this.#found = describe(first, this.#count, this.#found?.since ?? context.index);
    }
    return this.#found;
  }

  acknowledge(): void {
    this.#found = undefined;
    this.#count = 0;
  }

  reset(): void {
    this.acknowledge();
  }

  toJSON(): DetectorJson {
    return {
      type: TYPE,
      name: this.name,
      count: this.#count,
      found: this.#found === undefined ? null : { ...this.#found },
    };
  }

  static fromJSON(json: DetectorJson): Detector {
    const reader = new JsonReader(json, TYPE);
    const detector = new Corruption();
    detector.#count = reader.integer("count");
    if (reader.value("found") !== null) detector.#found = readFound(reader.object("found"));
    return detector;
  }
}

export const readCorruption = Corruption.fromJSON;

function describe(finding: CorruptionFinding, count: number, since: number): DetectorEvidence {
  const place = finding.place === undefined ? "" : ` at ${finding.place}`;
  const ids = finding.affectedIds ?? [];
  const affected =
    ids.length === 0
      ? ""
      : `; cannot be restored: ${ids.slice(0, 5).join(", ")}${ids.length > 5 ? ", ..." : ""}`;
  return {
    metric: "store",
    level: "corrupt",
    before: "intact",
    after: finding.kind.slice(0, MAX_LENGTH),
    window: count,
    since,
    confidence: 1,
    message:
      `${count === 1 ? "The store" : `${count} findings; the latest: the store`} reports "${finding.kind}"${place}: ${finding.message}${affected}`.slice(
        0,
        MAX_LENGTH,
      ),
    suggestion: (
      finding.remedy ??
      "Restore the newest intact checkpoint, verify the store, and look at the disk before going on."
    ).slice(0, MAX_LENGTH),
  };
}

function readFound(reader: JsonReader): DetectorEvidence {
  return {
    metric: "store",
    level: "corrupt",
    before: "intact",
    after: reader.string("after"),
    window: reader.integer("window"),
    since: reader.integer("since"),
    confidence: 1,
    message: reader.string("message"),
    suggestion: reader.string("suggestion"),
  };
}
