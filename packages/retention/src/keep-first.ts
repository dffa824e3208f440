import { keepPolicy, type RetentionPolicy } from "./policy.js";

/** Keeps the oldest checkpoint: the beginning of the history. */
export function keepFirst(): RetentionPolicy {
  return keepPolicy(({ entries, damagedLeftOut }, keep) => {
    const first = entries[0];
    if (first === undefined) return;
    keep(first, { code: "keep-first", message: `It is the first${damagedLeftOut ? " intact one" : ""}.` });
  });
}
