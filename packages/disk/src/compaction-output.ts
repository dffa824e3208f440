/** A segment that compaction writes: sealed from birth, one record per checkpoint. */
import { type AppendReceipt, type FileSystem, FrameLog, type Slices } from "@ckpt/io";
import { COMMIT_KIND, SEGMENT_HEADER_KIND } from "./commit-record.js";
import type { PutEntry, StoredEntry } from "./entry.js";
import { encodeEntry } from "./entry-encode.js";
import type { SegmentHead } from "./heads.js";
import type { StoreLayout } from "./layout.js";
import { endOf, FRAGMENT_BYTES } from "./log-segment.js";
import { Segment } from "./segment.js";
import { encodeSegmentHeader, type SegmentHeader } from "./segment-header.js";
import { encodeShortHeader } from "./short-entry.js";

/** Bytes on their way to the disk before the copy waits for them: saves that go on meanwhile wait for no longer write. */
const MAX_IN_FLIGHT_BYTES = 256 * 1024;

export class CompactionOutput {
  readonly view: Segment;
  readonly #log: FrameLog;
  readonly #ranges = new Map<string, [number, number]>();
  #inFlightBytes = 0;
  #last: Promise<unknown> = Promise.resolve();
  #failure: { error: unknown } | undefined;
  #finishing: Promise<SegmentHead> | undefined;

  private constructor(view: Segment, log: FrameLog) {
    this.view = view;
    this.#log = log;
  }

  static async create(fs: FileSystem, layout: StoreLayout, header: SegmentHeader): Promise<CompactionOutput> {
    const log = await FrameLog.create(layout.segment(header), {
      fs,
      fragmentBytes: FRAGMENT_BYTES,
      preallocate: false,
    });
    try {
      const receipt = await log.append({ kind: SEGMENT_HEADER_KIND, body: encodeSegmentHeader(header) });
      return new CompactionOutput(Segment.written({ fs, layout }, header, endOf(receipt)), log);
    } catch (error) {
      await log.close().catch(() => undefined); // the first error is the one that matters
      await fs.unlink(layout.segment(header)).catch(() => undefined); // an empty segment is harmless
      throw log.failure ?? error;
    }
  }

  get bytes(): number {
    return this.#log.size;
  }

  /** Writes a checkpoint whose state record is `section`; fills in its place. A promise only where what is on its way has to be waited for. */
  put(entry: PutEntry, section: readonly Uint8Array[]): Promise<void> | undefined {
    entry.sectionOffset = 0;
    entry.sectionBytes = section.reduce((sum, part) => sum + part.length, 0);
    const { sequence } = entry.header;
    const range = this.#ranges.get(entry.agentId);
    if (range === undefined) this.#ranges.set(entry.agentId, [sequence, sequence]);
    else {
      range[0] = Math.min(range[0], sequence);
      range[1] = Math.max(range[1], sequence);
    }
    return this.#append([entry], section, entry.sectionBytes);
  }

  /** Writes entries that are no checkpoints. */
  facts(entries: readonly StoredEntry[]): Promise<void> | undefined {
    return this.#append(entries, [], 0);
  }

  #append(
    entries: readonly StoredEntry[],
    sections: readonly Uint8Array[],
    sectionBytes: number,
  ): Promise<void> | undefined {
    this.#check();
    const header = encodeShortHeader(entries, entries.map(encodeEntry));
    this.#inFlightBytes += sectionBytes + header.length + 256;
    this.#last = this.#log.append({ kind: COMMIT_KIND, body: [...sections, header] }).then(
      (receipt) => this.#written(entries, receipt),
      (error: unknown) => {
        this.#failure ??= { error: this.#log.failure ?? error };
      },
    );
    return this.#inFlightBytes < MAX_IN_FLIGHT_BYTES ? undefined : this.#settle();
  }

  async #settle(): Promise<void> {
    await this.#last;
    this.#inFlightBytes = 0;
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #written(entries: readonly StoredEntry[], receipt: AppendReceipt): void {
    for (const entry of entries) {
      entry.segment = this.view;
      entry.offset = receipt.offset;
      entry.length = receipt.length;
    }
    this.view.append(entries, endOf(receipt));
  }

  /** Everything is on the disk, and the hint beside it; nothing more may follow. Resolves to the head to record, however often it is called. */
  finish(slices: Slices): Promise<SegmentHead> {
    this.#finishing ??= this.#finish(slices);
    return this.#finishing;
  }

  async #finish(slices: Slices): Promise<SegmentHead> {
    await this.#settle();
    await this.#log.close();
    const { end } = this.view;
    await this.view.writeHint(slices);
    return { number: this.view.number, end, sealed: true, agents: this.#ranges };
  }

  /** Stops; the file is the caller's to remove. */
  async abandon(): Promise<void> {
    await this.#last;
    await this.#log.close().catch(() => undefined); // it is about to be removed
  }
}
