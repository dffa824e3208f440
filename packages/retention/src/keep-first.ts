import { keepPolicy, type RetentionPolicy } from "./policy.js";

/** Keeps the oldest checkpoint: the beginning of the history. */
export function keepFirst(): RetentionPolicy {
  return keepPolicy(({ entries }, keep) => {
    const first = entries[0];
    if (first !== undefined) keep(first, { code: "keep-first", message: "It is the first." });
  });
}
