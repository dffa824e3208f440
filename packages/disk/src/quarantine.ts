/** Moves damaged files aside, never deleting a byte, with a note that says what they were. */
import path from "node:path";
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

/** Moves any other file to `quarantine/`; undefined when it is not there. */
export async function quarantineFile(
  fs: FileSystem,
  layout: StoreLayout,
  file: string,
): Promise<string | undefined> {
  if ((await fs.stat(file)) === undefined) return undefined;
  const target = layout.quarantinedFile(file, Date.now());
  const value = { format: 1, when: new Date().toISOString(), file, why: ["it could not be read"] };
  await publishFile(fs, `${target}.json`, encodeCheckedJson(value));
  await fs.rename(file, target);
  await fs.syncDirectory(layout.quarantine);
  await fs.syncDirectory(path.dirname(file));
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
