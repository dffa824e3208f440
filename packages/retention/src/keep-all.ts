import { keepPolicy, type RetentionPolicy } from "./policy.js";

/** Keeps everything: retention switched off, by name. */
export function keepAll(): RetentionPolicy {
  return keepPolicy(({ entries }, keep) => {
    for (const entry of entries) keep(entry, { code: "keep-all", message: "Everything is kept." });
  });
}
