/**
 * The segment that is written now.
 *
 * What must hold (docs/format.md, "Read and write ordering"):
 * - its header record is durable before the first commit is sent to it;
 * - the header voids every earlier segment of this writer from its acknowledged end, where a write failed;
 * - nothing is written to it again once a write failed.
 */
import { type AppendReceipt, classify, type FileSystem, FRAME_HEADER_BYTES, FrameLog } from "@ckpt/io";
import { COMMIT_KIND, SEGMENT_HEADER_KIND } from "./commit-record.js";
import type { SegmentHead } from "./heads.js";
import type { SegmentName, StoreLayout } from "./layout.js";
import type { WrittenEntry } from "./pending-commit.js";
import { Segment } from "./segment.js";
import { encodeSegmentHeader, type SegmentHeader } from "./segment-header.js";
import type { SegmentEnd } from "./segment-scan.js";

/** Longest body of one frame. */
export const FRAGMENT_BYTES = 1024 * 1024;

export class LogSegment {
  readonly header: SegmentHeader;
  readonly log: FrameLog;
  /** What readers in this process see: what was acknowledged. */
  readonly view: Segment;
  /** First and last sequence put here, per agent. */
  readonly ranges = new Map<string, [number, number]>();
  /** Bytes of the newest keyframe of each agent. */
  readonly #keyframes = new Map<string, number>();
  #keyframeBytes = 0;
  isSealed = false;
  isFailed = false;

  private constructor(header: SegmentHeader, log: FrameLog, view: Segment) {
    this.header = header;
    this.log = log;
    this.view = view;
  }

  /** Creates the file, where `preallocate` says so with space zeroed ahead; on failure nothing of it is left, as far as the disk allows. */
  static async create(
    fs: FileSystem,
    layout: StoreLayout,
    header: SegmentHeader,
    how: { readonly preallocate: boolean; readonly blockingWrites: boolean },
  ): Promise<LogSegment> {
    const path = layout.segment(header);
    let log: FrameLog | undefined;
    try {
      log = await FrameLog.create(path, { fs, fragmentBytes: FRAGMENT_BYTES, ...how });
      const receipt = await log.append({ kind: SEGMENT_HEADER_KIND, body: encodeSegmentHeader(header) });
      const view = Segment.written({ fs, layout }, header, endOf(receipt));
      return new LogSegment(header, log, view);
    } catch (error) {
      await log?.close().catch(() => undefined); // the first error is the one that matters
      // An empty segment is harmless. A file that was there before is not ours to remove.
      if (classify(error) !== "exists") await fs.unlink(path).catch(() => undefined);
      throw log?.failure ?? error;
    }
  }

  get name(): SegmentName {
    return this.header;
  }

  get end(): SegmentEnd {
    return this.view.end;
  }

  /** Bytes that the agents' newest keyframes take: the fixed cost of beginning another segment. */
  get keyframeBytes(): number {
    return this.#keyframeBytes;
  }

  append(body: readonly Uint8Array[] | AsyncIterable<Uint8Array>): Promise<AppendReceipt> {
    return this.log.append({ kind: COMMIT_KIND, body });
  }

  /** Records that a commit here was acknowledged. */
  acknowledge(entries: readonly WrittenEntry[], receipt: AppendReceipt): void {
    for (const entry of entries) {
      entry.segment = this.view;
      entry.offset = receipt.offset;
      entry.length = receipt.length;
      if (entry.kind === "put") this.#countPut(entry.agentId, entry.header.sequence, entry);
    }
    this.view.append(entries, endOf(receipt));
  }

  #countPut(agentId: string, sequence: number, entry: { base: unknown; sectionBytes: number }): void {
    const range = this.ranges.get(agentId);
    if (range === undefined) this.ranges.set(agentId, [sequence, sequence]);
    else range[1] = sequence;
    if (entry.base !== null) return;
    this.#keyframeBytes += entry.sectionBytes - (this.#keyframes.get(agentId) ?? 0);
    this.#keyframes.set(agentId, entry.sectionBytes);
  }

  head(): SegmentHead {
    return { number: this.header.number, end: this.end, sealed: this.isSealed, agents: this.ranges };
  }
}

/** The end of a segment after an append: its last frame is found by the lengths of the ones before. */
export function endOf({ offset, length, chain }: AppendReceipt): SegmentEnd {
  const full = FRAGMENT_BYTES + FRAME_HEADER_BYTES;
  const fragments = Math.max(1, Math.ceil(length / full));
  return { length: offset + length, lastFrame: offset + (fragments - 1) * full, chain };
}
