/** Reads the entries of a segment from its frames: at once, or on and on while its writer lives. */
import { throwIfAborted } from "@ckpt/core";
import {
  type FileHandle,
  FRAME_HEADER_BYTES,
  type ScannedRecord,
  scanRecords,
  streamRecord,
  ZERO_CHAIN,
} from "@ckpt/io";
import {
  COMMIT_KIND,
  commitHeaderBytes,
  decodeCommitHeader,
  PLAIN_CODEC,
  SEGMENT_HEADER_KIND,
} from "./commit-record.js";
import type { PutEntry, StoredEntry } from "./entry.js";
import { EntryDecoder } from "./entry-decode.js";
import type { SegmentName } from "./layout.js";
import { decodeSegmentHeader, FORMAT_VERSION, type SegmentHeader } from "./segment-header.js";

/** Bytes of a segment that should hold records and do not. */
export interface DamagedRegion {
  readonly start: number;
  readonly end: number;
  readonly why: string;
}

export interface Orphan {
  readonly entry: PutEntry;
  readonly missingBase: number;
}

/** A point of a segment: everything before it is known. `lastFrame` is the offset of the last frame before it. */
export interface SegmentEnd {
  readonly length: number;
  readonly lastFrame: number;
  readonly chain: Uint8Array;
}

export class SegmentScan {
  header: SegmentHeader | undefined;
  /** Set when the segment, or a record in it, was written by a newer version. */
  newer = false;
  readonly agents = new Map<string, StoredEntry[]>();
  readonly damages: DamagedRegion[] = [];
  readonly orphans: Orphan[] = [];
  /** Where bytes begin that were never acknowledged, when there are any. */
  tornAt: number | undefined;
  end: SegmentEnd = { length: 0, lastFrame: 0, chain: ZERO_CHAIN };
  #decoder = new EntryDecoder((entry, missingBase) => this.orphans.push({ entry, missingBase }));
  readonly #name: SegmentName;

  constructor(name: SegmentName) {
    this.#name = name;
  }

  /**
   * Reads from where the last call ended up to `to` (default: the end of the file). `knownAckedBytes`: see `ScanOptions`.
   * Calls `onEntry` for each entry in order, besides gathering them.
   */
  async advance(
    handle: FileHandle,
    options: { to?: number; knownAckedBytes?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const { length: from, chain } = this.end;
    this.tornAt = undefined;
    const { to, knownAckedBytes } = options;
    const range = {
      from,
      chain,
      ...(to === undefined ? {} : { to }),
      ...(knownAckedBytes === undefined ? {} : { knownAckedBytes }),
    };
    for await (const item of scanRecords(handle, range)) {
      throwIfAborted(options.signal, "reading a segment");
      if (item.type === "record") await this.#record(handle, item);
      else if (item.type === "incomplete") {
        if (item.reason === "headless")
          this.#damaged(item.start, item.end, "the beginning of the record is missing");
      } else if (item.reason === "torn") this.tornAt = item.start;
      else this.#damaged(item.start, item.end, "no intact frame");
    }
  }

  async #record(handle: FileHandle, record: ScannedRecord): Promise<void> {
    if (record.link === "broken")
      this.#damaged(record.offset, record.offset, "records before this one were taken out or exchanged");
    if (record.offset === 0) this.#readHeader(record);
    else if (record.codec !== PLAIN_CODEC || record.kind !== COMMIT_KIND) {
      this.newer = true;
      this.#damaged(
        record.offset,
        record.end,
        `a record of unknown kind ${record.kind} or codec ${record.codec}`,
      );
    } else await this.#readCommit(handle, record);
    const lastFrame = record.end - record.tail.length - FRAME_HEADER_BYTES;
    this.end = { length: record.end, lastFrame, chain: record.chain };
  }

  #readHeader(record: ScannedRecord): void {
    if (record.kind === SEGMENT_HEADER_KIND) this.header = decodeSegmentHeader(record.head);
    if (this.header === undefined)
      this.#damaged(record.offset, record.end, "the segment's header is not one");
    else if (this.header.format > FORMAT_VERSION) this.newer = true;
  }

  async #readCommit(handle: FileHandle, record: ScannedRecord): Promise<void> {
    const bytes = commitHeaderBytes(record.tail, record.bodyBytes);
    const header = bytes === undefined ? undefined : await this.#headerOf(handle, record, bytes);
    const raw = header === undefined ? undefined : decodeCommitHeader(header);
    if (raw === undefined || bytes === undefined) {
      this.#damaged(record.offset, record.end, "the commit's header is not one");
      return;
    }
    const place = {
      segment: this.#name,
      offset: record.offset,
      length: record.end - record.offset,
      sectionOffset: 0,
    };
    const entries: StoredEntry[] = [];
    try {
      for (const entry of raw) entries.push(this.#decoder.decode(entry, place));
      if (place.sectionOffset + bytes !== record.bodyBytes)
        throw new RangeError("sections do not fill the record");
    } catch (error) {
      this.#damaged(record.offset, record.end, error instanceof Error ? error.message : String(error));
      return;
    }
    for (const entry of entries) this.add(entry);
  }

  add(entry: StoredEntry): void {
    const list = this.agents.get(entry.agentId);
    if (list === undefined) this.agents.set(entry.agentId, [entry]);
    else list.push(entry);
  }

  async #headerOf(handle: FileHandle, record: ScannedRecord, bytes: number): Promise<Uint8Array> {
    if (bytes <= record.tail.length) return record.tail.subarray(record.tail.length - bytes);
    // The header lies across fragments: keep the last bytes of the stream.
    let tail = Buffer.alloc(0);
    for await (const body of streamRecord(handle, record.offset))
      tail = Buffer.concat([tail, body]).subarray(-bytes);
    return tail;
  }

  #damaged(start: number, end: number, why: string): void {
    this.damages.push({ start, end, why });
  }
}
