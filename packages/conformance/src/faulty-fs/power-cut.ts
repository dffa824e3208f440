import type { DirectoryImage, DiskImage, EntryOperationImage, FileImage, NodeImage } from "./disk-image.js";
import type { FileWrite } from "./file-node.js";
import { GrowingBytes } from "./growing-bytes.js";
import { SeededRandom } from "./random.js";

/**
 * What a power cut does to that which was not synced:
 *
 * - `strict`: all of it is lost.
 * - `reordered`: any part of it survives, in any order: 4 KiB pages of writes, and entry operations, each by itself; a file may have
 *   the new size without the new bytes.
 * - `torn`: metadata survive up to some moment, in order; of data, 512-byte sectors survive here and there, the others are old.
 */
export type CutMode = "strict" | "reordered" | "torn";

export interface PowerCutOptions {
  readonly mode: CutMode;
  /** Chooses what survives in `reordered` and `torn`. Default 0. */
  readonly seed?: number;
}

const PAGE_BYTES = 4_096;
const SECTOR_BYTES = 512;

/** How much of the unsynced survives: often half, sometimes nearly nothing or nearly all. */
function survivalChance(random: SeededRandom): number {
  return random.pick([0.05, 0.5, 0.5, 0.95]);
}

/** Puts some blocks of a write on the disk, aligned as the disk has them. */
function writeBlocks(
  durable: GrowingBytes,
  change: FileWrite,
  blockBytes: number,
  survives: () => boolean,
): void {
  const { position, bytes } = change;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + blockBytes - ((position + at) % blockBytes));
    if (survives()) durable.write(position + at, bytes.subarray(at, end));
    at = end;
  }
}

function survivingFile(file: FileImage, mode: CutMode, random: SeededRandom): FileImage {
  if (file.pending.length === 0) return file;
  const durable = new GrowingBytes(file.durable);
  if (mode !== "strict") {
    const chance = survivalChance(random);
    const survives = () => random.chance(chance);
    // In torn mode sizes are metadata: they survive up to one moment.
    const lastSize = random.below(file.pending.length + 1);
    for (const [i, change] of file.pending.entries()) {
      const sizeSurvives = mode === "torn" ? i < lastSize : survives();
      if (change.kind === "truncate") {
        if (sizeSurvives) durable.truncate(change.length);
        continue;
      }
      writeBlocks(durable, change, mode === "torn" ? SECTOR_BYTES : PAGE_BYTES, survives);
      if (sizeSurvives) durable.growTo(change.position + change.bytes.length);
    }
  }
  return { ...file, durable: durable.frozen(), pending: [] };
}

function survivingEntries(
  operations: readonly EntryOperationImage[],
  mode: CutMode,
  random: SeededRandom,
): readonly EntryOperationImage[] {
  if (mode === "strict") return [];
  if (mode === "torn") return operations.slice(0, random.below(operations.length + 1));
  const chance = survivalChance(random);
  return operations.filter(() => random.chance(chance));
}

/** The disk as the next start finds it: the image after a power cut, with nothing pending. */
export function survivors(image: DiskImage, options: PowerCutOptions): DiskImage {
  const { mode, seed = 0 } = options;
  const random = new SeededRandom(seed);
  const entries = new Map<number, Map<string, number>>();
  const nodes = new Map<number, NodeImage>();
  for (const [ino, node] of image.nodes) {
    if (node.kind === "directory") entries.set(ino, new Map(node.durable));
    nodes.set(ino, node.kind === "file" ? survivingFile(node, mode, random) : node);
  }
  for (const { changes } of survivingEntries(image.pendingEntries, mode, random)) {
    for (const { directory, name, node } of changes) {
      if (node === undefined) entries.get(directory)!.delete(name);
      else entries.get(directory)!.set(name, node);
    }
  }
  for (const [ino, durable] of entries) {
    nodes.set(ino, { ...(nodes.get(ino) as DirectoryImage), durable });
  }
  return { nodes, pendingEntries: [], limits: image.limits };
}
