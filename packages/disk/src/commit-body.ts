/** The body of a commit, small ones at once, large ones in slices that leave the event loop room. */
import { Slices } from "@ckpt/io";
import { encodeEntry, encodePut, type RawEntry } from "./entry-encode.js";
import type { PendingCommit, WrittenEntry } from "./pending-commit.js";
import type { OnProgress } from "./progress.js";
import { type PutPlan, planPut } from "./put-plan.js";
import { readAhead } from "./read-ahead.js";
import { encodeShortHeader } from "./short-entry.js";

/** States up to this weight in all are encoded inside the call; more goes in slices. */
const AT_ONCE_BYTES = 256 * 1024;

/** Of a large body, about so much is encoded ahead of what is being written. */
const AHEAD_BYTES = 2 * 1024 * 1024;

export interface PlannedBody {
  readonly entries: readonly WrittenEntry[];
  readonly body: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
}

/** Plans a commit for the segment `number`. */
export function planCommit(commit: PendingCommit, number: number, maxChainDeltas: number): PlannedBody {
  const steps: (PutPlan | WrittenEntry)[] = [];
  let weight = 0;
  if (commit.beginsChains) for (const writer of commit.writers) writer.base = undefined;
  for (const item of commit.items) {
    if (item.kind === "fact") {
      steps.push(item.entry);
      continue;
    }
    const plan = planPut(item, number, maxChainDeltas);
    weight += plan.weight;
    steps.push(plan);
  }
  const entries = steps.map((step) => ("entry" in step ? step.entry : step));
  const body =
    weight <= AT_ONCE_BYTES
      ? bodyAtOnce(steps, entries)
      : readAhead(bodyInSlices(steps, entries, weight, commit.onProgress), AHEAD_BYTES);
  return { entries, body };
}

function bodyAtOnce(
  steps: readonly (PutPlan | WrittenEntry)[],
  entries: readonly WrittenEntry[],
): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const raw: RawEntry[] = [];
  let offset = 0;
  for (const step of steps) {
    if (!("entry" in step)) {
      raw.push(encodeEntry(step));
      continue;
    }
    let bytes = 0;
    for (const chunk of step.chunks()) {
      chunks.push(chunk);
      bytes += chunk.length;
    }
    raw.push(finishPut(step, offset, bytes));
    offset += bytes;
  }
  chunks.push(encodeShortHeader(entries, raw));
  return chunks;
}

async function* bodyInSlices(
  steps: readonly (PutPlan | WrittenEntry)[],
  entries: readonly WrittenEntry[],
  totalBytes: number,
  onProgress: OnProgress | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const slices = new Slices();
  const raw: RawEntry[] = [];
  let offset = 0;
  for (const step of steps) {
    if (!("entry" in step)) {
      raw.push(encodeEntry(step));
      continue;
    }
    let bytes = 0;
    for (const chunk of step.chunks()) {
      yield chunk;
      bytes += chunk.length;
      onProgress?.({ doneBytes: offset + bytes, totalBytes });
      const pause = slices.pause();
      if (pause !== undefined) await pause;
    }
    raw.push(finishPut(step, offset, bytes));
    offset += bytes;
  }
  yield encodeShortHeader(entries, raw);
}

/** Fills in what is known only now: where the record is, how long, and the state's hash, a by-product of encoding it. */
function finishPut(plan: PutPlan, offset: number, bytes: number): RawEntry {
  const { item, entry, header, base } = plan;
  header.stateHash = item.snapshot.hash;
  item.header = Object.freeze(header);
  entry.sectionOffset = offset;
  entry.sectionBytes = bytes;
  base.chainBytes += bytes - plan.weight;
  return encodePut(entry, plan.metadata);
}
