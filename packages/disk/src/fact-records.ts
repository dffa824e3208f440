import type { StoredEntry } from "./entry.js";
import { encodeEntry } from "./entry-encode.js";

/** Text of entries that one record takes, in UTF-16 units; an entry that is longer has one for itself. */
const MOST_UNITS = 1024 * 1024;

/** Divides an agent's facts among records: all of them may be longer than the header of one commit can be. */
export function* inRecords(facts: readonly StoredEntry[]): Generator<StoredEntry[], void, undefined> {
  let record: StoredEntry[] = [];
  let units = 0;
  for (const fact of facts) {
    const { length } = JSON.stringify(encodeEntry(fact));
    if (record.length > 0 && units + length > MOST_UNITS) {
      yield record;
      record = [];
      units = 0;
    }
    record.push(fact);
    units += length;
  }
  if (record.length > 0) yield record;
}
