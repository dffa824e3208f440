import { keepPolicy, type RetentionPolicy } from "./policy.js";
import { endsStep } from "./steps.js";

/**
 * Keeps what is pinned. Pinned checkpoints are protected under every policy; this rule says so in words, and as the
 * only rule of a scope it means "nothing but what is pinned".
 */
export function keepPinned(): RetentionPolicy {
  return keepPolicy(function* ({ entries, pinnedIds }, keep) {
    for (let i = 0; i < entries.length; i++) {
      if (endsStep(i)) yield;
      const entry = entries[i]!;
      if (pinnedIds.has(entry.header.id)) keep(entry, { code: "keep-pinned", message: "It is pinned." });
    }
  });
}
