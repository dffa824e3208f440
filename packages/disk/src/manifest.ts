/** Which segments compaction replaced: docs/format.md, "Manifests". */
import { classify, type FileSystem } from "@ckpt/io";
import { encodeCheckedJson, publishFile, readDerivedJson } from "./checked-json.js";
import { isWriterId, parseManifestFile, type SegmentName, type StoreLayout, segmentKey } from "./layout.js";
import { FORMAT_VERSION, isPositive } from "./segment-header.js";

export interface Manifest {
  /** 0: there is none. */
  readonly number: number;
  /** Keys of segments that no longer count, even where their files are still there. */
  readonly replaced: ReadonlyMap<string, SegmentName>;
  /** Numbers of manifests that cannot be read. */
  readonly damaged: readonly number[];
}

export const NO_MANIFEST: Manifest = { number: 0, replaced: new Map(), damaged: [] };

async function numbers(fs: FileSystem, layout: StoreLayout): Promise<number[]> {
  try {
    const names = await fs.readdir(layout.manifests);
    return names.flatMap((name) => parseManifestFile(name) ?? []).sort((a, b) => b - a);
  } catch (error) {
    if (classify(error) === "not-found") return [];
    throw error;
  }
}

/** The highest manifest that can be read; `known` is returned as it is while it is still the highest. */
export async function readManifest(
  fs: FileSystem,
  layout: StoreLayout,
  known: Manifest = NO_MANIFEST,
): Promise<Manifest> {
  const damaged: number[] = [];
  for (const number of await numbers(fs, layout)) {
    if (number === known.number && damaged.length === 0) return known;
    const read = await readDerivedJson(fs, layout.manifest(number));
    if (read === "absent") return readManifest(fs, layout, known); // a newer one was published meanwhile
    const replaced = read === "damaged" ? undefined : parseReplaced(read.value);
    if (replaced !== undefined) return { number, replaced, damaged };
    damaged.push(number);
  }
  return { number: damaged[0] ?? known.number, replaced: known.replaced, damaged };
}

function parseReplaced(value: unknown): Map<string, SegmentName> | undefined {
  const { replaced } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(replaced)) return undefined;
  const names = new Map<string, SegmentName>();
  for (const pair of replaced) {
    if (!Array.isArray(pair) || !isWriterId(String(pair[0])) || !isPositive(pair[1])) return undefined;
    const name: SegmentName = { writerId: String(pair[0]), number: pair[1] };
    names.set(segmentKey(name), name);
  }
  return names;
}

/** Publishes the manifest after `previous`; false when someone else has published it. */
export function publishManifest(
  fs: FileSystem,
  layout: StoreLayout,
  previous: Manifest,
  replaced: readonly SegmentName[],
  outputs: readonly SegmentName[],
): Promise<boolean> {
  const number = previous.number + 1;
  const pairs = (names: readonly SegmentName[]) => names.map((name) => [name.writerId, name.number]);
  const value = { format: FORMAT_VERSION, number, replaced: pairs(replaced), outputs: pairs(outputs) };
  return publishFile(fs, layout.manifest(number), encodeCheckedJson(value));
}

/** Removes the manifests below `number`; their successor says all that they said. */
export async function removeOlderManifests(
  fs: FileSystem,
  layout: StoreLayout,
  number: number,
): Promise<void> {
  for (const old of await numbers(fs, layout)) {
    if (old < number) await fs.unlink(layout.manifest(old)).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (classify(error) !== "not-found") throw error;
}
