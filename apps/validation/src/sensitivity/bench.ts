/** What every instrument works with: the store on the faulty file system, with some of its safeguards taken out. */
import { type FaultyFileSystem, withoutSafeguard } from "@ckpt/conformance/faulty-fs";
import { type CheckpointDraft, type CheckpointStore, type StoreEntry, snapshot } from "@ckpt/core";
import { DiskStore, type DiskStoreOptions } from "@ckpt/disk";
import type { FileSystem } from "@ckpt/io";
import type { Removal } from "./mutant.js";

export type Opened = CheckpointStore & Pick<DiskStore, "repair">;

export interface Bench {
  open(fs: FaultyFileSystem): Promise<Opened>;
  /** The file system as the store sees it. */
  weaken(fs: FileSystem): FileSystem;
}

/** What broke, in words; undefined when nothing did. */
export type Verdict = string | undefined;
export type Instrument = (bench: Bench) => Promise<Verdict>;

/** Small segments, so that little work rotates; no background work, so that a run can be replayed. */
const OPTIONS = { segmentBytes: 8_192, reserveBytes: 4_096, maxChainDeltas: 6, autoCompact: false };

export function benchWith(removals: readonly Removal[]): Bench {
  const weaken = (fs: FileSystem) =>
    removals.reduce((below, { safeguard, paths }) => {
      const pattern = new RegExp(paths);
      return withoutSafeguard(below, safeguard, (path) => pattern.test(path));
    }, fs);
  return { weaken, open: async (fs) => new DiskStore("/store", { fs: weaken(fs), ...OPTIONS }) };
}

/** Opens the store on a file system that another wrapper has weakened already. */
export const openOn = async (bench: Bench, fs: FileSystem, options: DiskStoreOptions = {}): Promise<Opened> =>
  new DiskStore("/store", { fs: bench.weaken(fs), ...OPTIONS, ...options });

export type Put = Extract<StoreEntry, { op: "put" }>;

/** A put whose state differs with `mark`. */
export function put(agentId: string, sequence: number, mark = sequence, bytes = 900): Put {
  const header: CheckpointDraft = {
    id: `${agentId}:${sequence}`,
    agentId,
    sequence,
    name: sequence % 3 === 0 ? "recovery" : "routine",
    timestamp: new Date(1_700_000_000_000 + sequence * 1000).toISOString(),
    parentId: sequence > 1 ? `${agentId}:${sequence - 1}` : null,
    metadata: { turn: sequence, mark },
    schemaVersion: null,
  };
  const text = `${mark} `.repeat(bytes).slice(0, bytes);
  return { op: "put", header, snapshot: snapshot({ sequence, mark, log: [`turn ${sequence}`, text] }) };
}

export const remove = (agentId: string, ...ids: string[]): StoreEntry => ({
  op: "remove",
  agentId,
  ids,
  reason: "test",
});

/** The marks of an agent's checkpoints in a row, each of which can be restored with the state that it was put with. */
export async function marksOf(store: CheckpointStore, agentId: string): Promise<string> {
  const marks: unknown[] = [];
  for (const { id, metadata } of await store.list(agentId)) {
    const { mark } = (await store.load(agentId, id)).toValue<{ mark: unknown }>();
    marks.push(mark === metadata.mark ? mark : `${String(metadata.mark)} with the state of ${String(mark)}`);
  }
  return marks.join(" ");
}

/** Everything that reading finds wrong, apart from what a crash may leave. */
export async function findingsOf(store: CheckpointStore): Promise<string[]> {
  const findings = [...store.takeFindings()];
  for await (const finding of store.verify()) findings.push(finding);
  return findings.filter(({ kind }) => kind !== "torn").map(({ kind, message }) => `${kind}: ${message}`);
}
