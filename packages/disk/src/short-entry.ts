/**
 * The shortest form of a put. A patch of metadata is mostly shorter than the metadata; where a great deal was dropped it is longer, and
 * may be longer than a commit's header can be.
 */
import { encodeCommitHeader } from "./commit-record.js";
import type { PutEntry, StoredEntry } from "./entry.js";
import { encodePut, type RawEntry } from "./entry-encode.js";

/** `written` of a put's metadata, or the whole where that is shorter. */
export function shortestMetadata({ base, header }: PutEntry, written: unknown): unknown {
  if (base === null) return written;
  const whole = { f: header.metadata };
  return JSON.stringify(written).length > JSON.stringify(whole).length ? whole : written;
}

/** The header of a commit with `entries`, of which `raw` are the usual form. Throws `CKPT_LIMIT` where no form of it fits. */
export function encodeShortHeader(entries: readonly StoredEntry[], raw: readonly RawEntry[]): Buffer {
  try {
    return encodeCommitHeader(raw);
  } catch {
    // Too long. If it still is, that is what the second attempt says.
    return encodeCommitHeader(raw.map((entry, i) => shortest(entries[i]!, entry)));
  }
}

/** Where the metadata stands in a put. */
const METADATA = 12;

function shortest(entry: StoredEntry, raw: RawEntry): RawEntry {
  return entry.kind === "put" ? encodePut(entry, shortestMetadata(entry, raw[METADATA])) : raw;
}
