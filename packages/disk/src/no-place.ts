import type { RecordPlace } from "./entry.js";

const NOWHERE = Object.freeze({ writerId: "", number: 0 });

/** The place of an entry that is not written yet. */
export function noPlace(): RecordPlace {
  return { segment: NOWHERE, offset: -1, length: 0 };
}
