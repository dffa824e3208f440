import { keepPolicy, type RetentionPolicy } from "./policy.js";

/**
 * Keeps what is pinned. Pinned checkpoints are protected under every policy; this rule says so in words, and as the
 * only rule of a scope it means "nothing but what is pinned".
 */
export function keepPinned(): RetentionPolicy {
  return keepPolicy(({ entries, pinnedIds }, keep) => {
    for (const entry of entries) {
      if (pinnedIds.has(entry.header.id)) keep(entry, { code: "keep-pinned", message: "It is pinned." });
    }
  });
}
