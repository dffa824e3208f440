import { keepPolicy, type RetentionPolicy } from "./policy.js";
import { endsStep } from "./steps.js";

/** Keeps everything: retention switched off, by name. */
export function keepAll(): RetentionPolicy {
  return keepPolicy(function* ({ entries }, keep) {
    for (let i = 0; i < entries.length; i++) {
      if (endsStep(i)) yield;
      keep(entries[i]!, { code: "keep-all", message: "Everything is kept." });
    }
  });
}
