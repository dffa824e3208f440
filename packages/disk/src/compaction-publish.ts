/** The step that makes a compaction count: the manifest, published by an exclusive link. */
import { CkptError } from "@ckpt/errors";
import { classify, type FileSystem } from "@ckpt/io";
import type { CompactionOutput } from "./compaction-output.js";
import { readHeads } from "./heads.js";
import type { SegmentName, StoreLayout } from "./layout.js";
import type { MaintenanceContext } from "./maintenance.js";
import { type Manifest, publishManifest, readManifest } from "./manifest.js";
import type { Segment } from "./segment.js";

/**
 * Publishes the manifest that lets the outputs take the place of the sources. A publication that reports a failure may have
 * happened all the same; then the outputs count, and are not discarded. The sources stay for a later compaction in that case.
 */
export async function publishOutputs(
  context: MaintenanceContext,
  previous: Manifest,
  sources: readonly Segment[],
  outputs: readonly CompactionOutput[],
): Promise<void> {
  const { fs, layout, catalog } = context;
  const adopt = async () =>
    catalog.directory.replaceSegments(
      await readManifest(fs, layout),
      outputs.map((output) => output.view),
    );
  let isTaken = false;
  try {
    isTaken = !(await publish(context, previous, sources, outputs));
  } catch (error) {
    const file = layout.manifest(previous.number + 1);
    const isAbsent = await fs.stat(file).then(
      (stat) => stat === undefined,
      () => false,
    );
    // Where not even that can be told, the outputs stay: the next start reads what was published.
    await (isAbsent ? discardOutputs(context, outputs) : adopt().catch(() => undefined));
    throw error;
  }
  await (isTaken ? discardLate(context, outputs) : adopt());
}

/** Someone else has published a manifest since the plan was made: the outputs go. Always rejects, with `CKPT_CONFLICT`. */
export async function discardLate(
  context: MaintenanceContext,
  outputs: readonly CompactionOutput[],
): Promise<never> {
  await discardOutputs(context, outputs);
  const { root } = context.layout;
  throw new CkptError("CKPT_CONFLICT", {
    message: `Another process has compacted ${root} meanwhile.`,
    hint: "Nothing was changed; compact again when there is need.",
    details: { path: root },
  });
}

async function publish(
  { fs, layout }: MaintenanceContext,
  previous: Manifest,
  sources: readonly Segment[],
  outputs: readonly CompactionOutput[],
): Promise<boolean> {
  const replaced: SegmentName[] = [];
  for (const name of previous.replaced.values())
    if (await mayStillBeThere(fs, layout, name)) replaced.push(name);
  for (const { writerId, number } of sources) replaced.push({ writerId, number });
  const names = outputs.map(({ view }) => ({ writerId: view.writerId, number: view.number }));
  return publishManifest(fs, layout, previous, replaced, names);
}

/** A replaced segment must be named as long as its file, its hint or a recorded head of it may be found. */
async function mayStillBeThere(fs: FileSystem, layout: StoreLayout, name: SegmentName): Promise<boolean> {
  if ((await fs.stat(layout.segment(name))) !== undefined || (await fs.stat(layout.hint(name))) !== undefined)
    return true;
  const heads = await readHeads(fs, layout, name.writerId);
  return heads === "damaged" || (heads !== "absent" && heads.some((head) => head.number === name.number));
}

/**
 * Removes outputs that take no one's place. What cannot be removed is read by others, and counts: it says nothing that its sources do not
 * say, until they are replaced in their turn.
 */
export async function discardOutputs(
  { fs, layout, catalog, writer }: MaintenanceContext,
  outputs: readonly CompactionOutput[],
): Promise<void> {
  const numbers = new Set(outputs.map(({ view }) => view.number));
  for (const output of outputs) await output.abandon();
  // First the heads: a recorded segment that is not there would be taken for lost.
  const mayGo = !writer.forget((number) => numbers.has(number)) || (await writer.heads.flush());
  const left: Segment[] = [];
  for (const { view } of outputs) if (!mayGo || !(await isRemoved(fs, layout, view))) left.push(view);
  catalog.directory.adopt(left);
}

async function isRemoved(fs: FileSystem, layout: StoreLayout, name: SegmentName): Promise<boolean> {
  for (const file of [layout.hint(name), layout.segment(name)]) {
    try {
      await fs.unlink(file);
    } catch (error) {
      if (classify(error) !== "not-found") return false;
    }
  }
  return true;
}
