import type { CheckpointHeader } from "@ckpt/core";
import { requireCount } from "./errors.js";
import { capPolicy, type RetentionPolicy } from "./policy.js";

export interface MaxBytesOptions {
  /**
   * What a checkpoint counts, in bytes. Default: `header.stateBytes`, the whole state's size, although a store that keeps
   * deltas spends far less: the cap then bounds the store's size from above.
   */
  readonly sizeOf?: (header: CheckpointHeader) => number;
}

/**
 * A cap: what stays adds up to at most `maxBytes`; the oldest go first. Protected checkpoints count, but are never dropped, so
 * more can stay. Bytes of a dropped checkpoint stay on disk as long as a kept delta needs them.
 */
export function maxBytes(maxBytes: number, options: MaxBytesOptions = {}): RetentionPolicy {
  requireCount(maxBytes, "maxBytes(maxBytes)");
  const sizeOf = options.sizeOf ?? ((header: CheckpointHeader) => header.stateBytes);
  return capPolicy((kept, isProtected, drop) => {
    const sizes = kept.map((entry) => sizeOf(entry.header));
    let totalBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
    for (const [i, entry] of kept.entries()) {
      if (totalBytes <= maxBytes) return;
      if (isProtected(entry)) continue;
      drop(entry, {
        code: "max-bytes",
        message: `More than ${maxBytes} bytes would stay, and it is among the oldest.`,
      });
      totalBytes -= sizes[i]!;
    }
  });
}
