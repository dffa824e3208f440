/** Moves damaged files aside, never deleting a byte, with a note that says what they were. */
import type { FileSystem } from "@ckpt/io";
import { encodeCheckedJson, publishFile } from "./checked-json.js";
import type { SegmentName, StoreLayout } from "./layout.js";

export interface QuarantineNote {
  readonly segment: SegmentName;
  readonly why: readonly string[];
  /** Checkpoints that could not be kept. */
  readonly lostIds: readonly string[];
}

/** Moves a segment's file to `quarantine/`. The note is durable before the file moves. Resolves to the new path. */
export async function quarantineSegment(
  fs: FileSystem,
  layout: StoreLayout,
  note: QuarantineNote,
): Promise<string> {
  const target = layout.quarantined(note.segment, Date.now());
  await writeNote(fs, target, note);
  await fs.rename(layout.segment(note.segment), target);
  await fs.syncDirectory(layout.quarantine);
  await fs.syncDirectory(layout.writer(note.segment.writerId));
  return target;
}

/** Records a loss of which there are no bytes left. */
export async function recordLoss(fs: FileSystem, layout: StoreLayout, note: QuarantineNote): Promise<string> {
  const target = layout.quarantined(note.segment, Date.now());
  await writeNote(fs, target, note);
  return target;
}

async function writeNote(fs: FileSystem, target: string, note: QuarantineNote): Promise<void> {
  const value = { format: 1, when: new Date().toISOString(), ...note };
  await publishFile(fs, `${target}.json`, encodeCheckedJson(value));
}
