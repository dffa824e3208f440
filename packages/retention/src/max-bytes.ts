import type { CheckpointHeader } from "@ckpt/core";
import { invalidArgument, requireCount } from "./errors.js";
import { evictInOrder, type TakenAs } from "./eviction.js";
import { capPolicy, type HistoryEntry, type RetentionPolicy } from "./policy.js";
import { quoted } from "./printable.js";
import { endsStep } from "./steps.js";

export interface MaxBytesOptions {
  /**
   * What a checkpoint counts, in bytes: a finite number of at least 0. Default: `header.stateBytes`, the whole state's size, although
   * a store that keeps deltas spends far less: the cap then bounds the store's size from above.
   */
  readonly sizeOf?: (header: CheckpointHeader) => number;
}

/** A sum with one size that is no number compares with nothing, and would take everything. */
function requireSize(bytes: unknown, { id, sequence }: CheckpointHeader): number {
  if (typeof bytes === "number" && Number.isFinite(bytes) && bytes >= 0) return bytes;
  throw invalidArgument(
    `maxBytes cannot count checkpoint ${quoted(id)}: its size is ${quoted(String(bytes))}.`,
    "A size is a finite number of bytes of at least 0, from sizeOf(header) where that is given, else header.stateBytes.",
    { id, sequence, size: String(bytes) },
  );
}

/**
 * A cap: what stays adds up to at most `maxBytes`. Damaged ones go first, then the oldest. Protected checkpoints count, but are
 * never dropped, so more can stay. Bytes of a dropped checkpoint stay on disk as long as a kept delta needs them.
 *
 * @throws CKPT_INVALID_ARGUMENT when `maxBytes` is no whole number of at least 1; and, where the plan is made, when a size is no
 *   finite number of at least 0 (`details.id`, `details.size`): nothing is planned then.
 */
export function maxBytes(maxBytes: number, options: MaxBytesOptions = {}): RetentionPolicy {
  requireCount(maxBytes, "maxBytes(maxBytes)");
  const sizeOf = options.sizeOf ?? ((header: CheckpointHeader) => header.stateBytes);
  return capPolicy(function* (kept, isProtected, drop) {
    const sizes: number[] = [];
    let totalBytes = 0;
    for (const { header } of kept) {
      if (endsStep(sizes.length)) yield;
      const bytes = requireSize(sizeOf(header), header);
      sizes.push(bytes);
      totalBytes += bytes;
    }
    const take = (entry: HistoryEntry, index: number, as: TakenAs) => {
      drop(entry, { code: "max-bytes", message: `More than ${maxBytes} bytes would stay, and it is ${as}.` });
      totalBytes -= sizes[index]!;
    };
    yield* evictInOrder(kept, isProtected, () => totalBytes > maxBytes, take);
  });
}
