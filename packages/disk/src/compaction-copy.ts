/** Copies what a plan keeps into fresh segments: state records as they are where their base goes along, else encoded anew. */
import { diff, encodeDelta, encodeKeyframe, rebase, type Snapshot, throwIfAborted } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { classify, type FileSystem, type Slices } from "@ckpt/io";
import type { CompactionOutput } from "./compaction-output.js";
import type { CompactionPlan } from "./compaction-plan.js";
import type { PutEntry, StoredEntry } from "./entry.js";
import { inRecords } from "./fact-records.js";
import type { StoreLayout } from "./layout.js";
import { loadState } from "./load-state.js";
import { noPlace } from "./no-place.js";
import { BadRecord } from "./record-frames.js";
import type { Segment } from "./segment.js";
import { SequentialReader } from "./sequential-reader.js";

export interface CopyContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly maxChainDeltas: number;
  readonly segmentBytes: number;
  /** Leaves out what cannot be read, instead of failing. */
  readonly salvage: boolean;
  readonly signal: AbortSignal | undefined;
  readonly slices: Slices;
  /** Begins another output. */
  begin(): Promise<CompactionOutput>;
}

/** The chain of an agent in the output that is written now. */
interface Chain {
  readonly put: PutEntry;
  readonly source: PutEntry;
  readonly bytes: number;
  readonly deltas: number;
  /** The state of `put`, where it had to be restored. */
  snapshot: Snapshot | undefined;
}

/** What is written of a checkpoint. */
interface Copy {
  /** Its state record. */
  readonly section: readonly Uint8Array[];
  /** What the record is a delta on; null for a keyframe. */
  readonly onto: Chain | null;
  /** Its state, where it had to be restored. */
  readonly snapshot?: Snapshot;
}

/** What a put's record is a delta on in the output, null for a keyframe; undefined where it cannot be copied as it is. */
function baseOf(put: PutEntry, chain: Chain | undefined): Chain | null | undefined {
  if (put.base === null) return null;
  return put.base === chain?.source ? chain : undefined;
}

/** There is nothing to wait for. */
const DONE = Promise.resolve();

/** A source record that cannot be read, found while copying. */
export class UnreadableSource extends Error {
  readonly segment: Segment;
  constructor(segment: Segment, cause: unknown) {
    super(`${segment.path} cannot be read`, { cause });
    this.segment = segment;
  }
}

export class CompactionCopy {
  readonly outputs: CompactionOutput[] = [];
  /** What was copied, as it stands in the outputs. */
  readonly copied: PutEntry[] = [];
  /** Checkpoints that were left out, because they cannot be restored. */
  readonly lost: PutEntry[] = [];
  readonly #context: CopyContext;
  #chains = new Map<string, Chain>();

  constructor(context: CopyContext) {
    this.#context = context;
  }

  async run(plan: CompactionPlan): Promise<void> {
    for (const source of plan.sources) await this.#copySource(source, plan.puts.get(source) ?? []);
    for (const facts of plan.facts.values()) {
      for (const some of inRecords(facts)) {
        throwIfAborted(this.#context.signal, "compact");
        await (await this.#output()).facts(some.map(detached));
        const pause = this.#context.slices.pause();
        if (pause !== undefined) await pause;
      }
    }
  }

  async #copySource(source: Segment, puts: readonly PutEntry[]): Promise<void> {
    const reader = new SequentialReader(this.#context.fs, source.path);
    try {
      for (const put of puts) {
        throwIfAborted(this.#context.signal, "compact");
        const copying = this.#copyAtHand(reader, source, put) ?? this.#copyPut(reader, source, put);
        if (copying !== DONE) await copying;
        const pause = this.#context.slices.pause();
        if (pause !== undefined) await pause;
      }
    } finally {
      await reader.close();
    }
  }

  /** Most checkpoints need no reading and no waiting: these leave no promises behind. Undefined where it is not so. */
  #copyAtHand(reader: SequentialReader, source: Segment, put: PutEntry): Promise<void> | undefined {
    const output = this.#roomy();
    const onto = baseOf(put, this.#chains.get(put.agentId));
    if (output === undefined || onto === undefined) return undefined;
    let section: Uint8Array[] | undefined;
    try {
      section = reader.sectionAtHand(put);
    } catch (error) {
      this.#leaveOut(source, put, error);
      return DONE;
    }
    return section && (this.#write(output, put, { section, onto }) ?? DONE);
  }

  async #copyPut(reader: SequentialReader, source: Segment, put: PutEntry): Promise<void> {
    const output = await this.#output();
    const chain = this.#chains.get(put.agentId);
    const onto = baseOf(put, chain);
    let copy: Copy;
    try {
      copy =
        onto === undefined
          ? await this.#encodeAnew(put, chain)
          : { section: await reader.section(put), onto };
    } catch (error) {
      return this.#leaveOut(source, put, error);
    }
    await this.#write(output, put, copy);
  }

  /** Throws where the error is no damage, or damage is not to be left out. */
  #leaveOut(source: Segment, put: PutEntry, error: unknown): void {
    const isDamage = error instanceof BadRecord || isCkptError(error, "CKPT_CORRUPT") || isGone(error);
    if (!isDamage) throw error;
    if (!this.#context.salvage) throw new UnreadableSource(source, error);
    this.lost.push(put);
    this.#chains.delete(put.agentId);
  }

  /** The base is gone, or is not the checkpoint before: a delta on that one where it is worth it, else a keyframe. */
  async #encodeAnew(put: PutEntry, chain: Chain | undefined): Promise<Copy> {
    const { fs, layout, signal, maxChainDeltas } = this.#context;
    let snapshot = await loadState(fs, layout, put, { signal });
    if (chain !== undefined && chain.deltas < maxChainDeltas) {
      const previous = chain.snapshot ?? (await loadState(fs, layout, chain.source, { signal }));
      snapshot = rebase(snapshot, previous);
      const delta = diff(previous, snapshot);
      if (
        delta.isEmpty ||
        (delta.weight < snapshot.weight && chain.bytes + delta.weight <= 2 * snapshot.weight)
      ) {
        return { section: await this.#collect(encodeDelta(delta)), onto: chain, snapshot };
      }
    }
    return { section: await this.#collect(encodeKeyframe(snapshot)), onto: null, snapshot };
  }

  async #collect(chunks: Iterable<Uint8Array>): Promise<Uint8Array[]> {
    const collected: Uint8Array[] = [];
    for (const chunk of chunks) {
      collected.push(chunk);
      const pause = this.#context.slices.pause();
      if (pause !== undefined) await pause;
    }
    return collected;
  }

  /** A promise only where the copy has to wait for what it has written. */
  #write(
    output: CompactionOutput,
    source: PutEntry,
    { section, onto, snapshot }: Copy,
  ): Promise<void> | undefined {
    const put: PutEntry = { ...source, ...noPlace(), base: onto?.put ?? null };
    const previous = this.#chains.get(put.agentId);
    if (previous !== undefined) previous.snapshot = undefined;
    const writing = output.put(put, section);
    this.copied.push(put);
    const bytes = (onto?.bytes ?? 0) + put.sectionBytes;
    const deltas = onto === null ? 0 : onto.deltas + 1;
    this.#chains.set(put.agentId, { put, source, bytes, deltas, snapshot });
    return writing;
  }

  /** The output that is written now, where it takes more. */
  #roomy(): CompactionOutput | undefined {
    const last = this.outputs[this.outputs.length - 1];
    return last !== undefined && last.bytes < this.#context.segmentBytes ? last : undefined;
  }

  /** The output to write to; a full one is followed by another, where chains begin anew. */
  async #output(): Promise<CompactionOutput> {
    const roomy = this.#roomy();
    if (roomy !== undefined) return roomy;
    this.#chains = new Map();
    // However many there will be, one at a time is open.
    await this.outputs.at(-1)?.finish(this.#context.slices);
    const output = await this.#context.begin();
    this.outputs.push(output);
    return output;
  }
}

/** The source's file is not there: only its hint spoke of it. */
function isGone(error: unknown): boolean {
  return classify(error) === "not-found" || classify(error) === "damaged";
}

function detached(entry: StoredEntry): StoredEntry {
  return { ...entry, ...noPlace() };
}
