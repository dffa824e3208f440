import { monitor } from "@ckpt/drift";
import { SeededRandom } from "./random.js";
import { compare, type Section } from "./report.js";

const KINDS = ["damaged", "missing", "stale", "torn", "superseded", "orphaned"] as const;
const FINDINGS = 1000;
const HEALTHY = 10_000;

/** What the monitor makes of a store's findings. Whether the store finds every damage is tested with the store. */
export function evaluateCorruption(seed: number): Section {
  const random = new SeededRandom(seed);
  let told = 0;
  for (let i = 0; i < FINDINGS; i++) {
    const watcher = monitor();
    const at = random.below(50);
    for (let step = 0; step < 60; step++) {
      const checkpointId = `a:${step}`;
      const kind = KINDS[random.below(KINDS.length)]!;
      const findings =
        step === at ? [{ kind, place: "1.seg:40", message: "checksum", affectedIds: [checkpointId] }] : [];
      watcher.observe({ checkpointId, sequence: step, stateHash: String(step), findings });
    }
    const verdict = watcher.verdict();
    if (verdict.level === "corrupt" && verdict.since?.index === at) told++;
  }
  const healthy = monitor();
  let wrong = 0;
  for (let step = 0; step < HEALTHY; step++) {
    const verdict = healthy.observe({
      checkpointId: `a:${step}`,
      sequence: step,
      stateHash: String(step),
      findings: [],
      metrics: { bytes: 1000 + step + random.below(50) },
    });
    if (verdict.level === "corrupt") wrong++;
  }
  return {
    id: 9,
    title: "Corruption: findings of the store become a verdict",
    figures: [
      compare(`of ${FINDINGS} findings, told as corrupt at the right checkpoint`, told, ">=", FINDINGS),
      compare(`of ${HEALTHY} healthy checkpoints, told as corrupt`, wrong, "<=", 0),
    ],
    baselines: [],
    raw: { told, wrong },
  };
}
