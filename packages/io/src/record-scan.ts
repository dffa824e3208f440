import type { FileHandle } from "./file-system.js";
import { type BadRegion, type ScannedFrame, type ScanOptions, scanFrames } from "./frame-scan.js";

/** A whole record of a log: one or more fragments, first to last. */
export interface ScannedRecord {
  readonly type: "record";
  readonly offset: number;
  /** Where the next record begins. */
  readonly end: number;
  readonly kind: number;
  readonly codec: number;
  /** Every byte below was acknowledged when the record's last fragment was written. */
  readonly acked: number;
  /** The chain value of its last fragment. */
  readonly chain: Uint8Array;
  /** `"broken"` when any of its fragments is: see {@link ScannedFrame}. */
  readonly link: ScannedFrame["link"];
  readonly fragments: number;
  /** Bytes of all bodies. */
  readonly bodyBytes: number;
  /** The body of its first fragment: all of it when `fragments` is 1, else read the rest with `streamRecord`. */
  readonly head: Uint8Array;
  /** The body of its last fragment; the same as `head` when `fragments` is 1. */
  readonly tail: Uint8Array;
}

/** Intact fragments of a record that is not whole: it never happened. */
export interface IncompleteRecord {
  readonly type: "incomplete";
  /**
   * `"abandoned"`: its writer gave it up and went on, which is no fault. `"cut"`: the log, or a bad region, comes
   * before its last fragment. `"headless"`: its first fragment is gone, in a bad region or before the scan's start.
   */
  readonly reason: "abandoned" | "cut" | "headless";
  readonly start: number;
  readonly end: number;
}

interface Gathering {
  readonly first: ScannedFrame;
  last: ScannedFrame;
  fragments: number;
  bodyBytes: number;
  broken: boolean;
}

/**
 * Reads the records of a log in order, with bounded memory: {@link scanFrames} put together. Of a record of several
 * fragments only the first is handed out; the others were read and verified.
 */
export async function* scanRecords(
  handle: FileHandle,
  options: ScanOptions = {},
): AsyncGenerator<ScannedRecord | IncompleteRecord | BadRegion, void, undefined> {
  let open: Gathering | undefined;
  for await (const item of scanFrames(handle, options)) {
    if (item.type === "bad") {
      if (open !== undefined) yield incomplete("cut", open);
      open = undefined;
      yield item;
      continue;
    }
    if (open !== undefined && !belongs(item, open)) {
      yield incomplete("abandoned", open);
      open = undefined;
    }
    if (open !== undefined) {
      open.last = item;
      open.fragments++;
      open.bodyBytes += item.body.length;
      open.broken ||= item.link === "broken";
    } else if (item.isFirst) {
      const broken = item.link === "broken";
      open = { first: item, last: item, fragments: 1, bodyBytes: item.body.length, broken };
    } else {
      yield { type: "incomplete", reason: "headless", start: item.offset, end: item.end };
      continue;
    }
    if (item.isLast) {
      yield whole(open);
      open = undefined;
    }
  }
  if (open !== undefined) yield incomplete("cut", open);
}

function belongs(frame: ScannedFrame, open: Gathering): boolean {
  return !frame.isFirst && frame.kind === open.first.kind && frame.codec === open.first.codec;
}

function incomplete(reason: IncompleteRecord["reason"], open: Gathering): IncompleteRecord {
  return { type: "incomplete", reason, start: open.first.offset, end: open.last.end };
}

function whole(open: Gathering): ScannedRecord {
  const { first, last, fragments, bodyBytes, broken } = open;
  return {
    type: "record",
    offset: first.offset,
    end: last.end,
    kind: first.kind,
    codec: first.codec,
    acked: last.acked,
    chain: last.chain,
    link: broken ? "broken" : first.link,
    fragments,
    bodyBytes,
    head: first.body,
    tail: last.body,
  };
}
