import { captureMetadata, freezeJson, type StoreEntry, type StoreEvent } from "@ckpt/core";

/**
 * A copy of a batch that its caller cannot change any more. A decorator that may wait before it writes, or write twice, takes it inside
 * the call; the store below does the same with what it is given, too late for those. Throws `CKPT_INVALID_ARGUMENT` as a store would.
 */
export function captureEntries(entries: readonly StoreEntry[]): readonly StoreEntry[] {
  // Decorators stand on each other: nobody but them has what one of them took.
  if (captured.has(entries)) return entries;
  const copy = entries.map((entry): StoreEntry => {
    switch (entry.op) {
      case "put": {
        const { header, snapshot } = entry;
        return { op: "put", header: { ...header, metadata: captureMetadata(header.metadata) }, snapshot };
      }
      case "remove":
        return { ...entry, ids: [...entry.ids] };
      case "event":
        return { ...entry, event: freezeJson(entry.event, "event") as StoreEvent };
      default:
        return entry;
    }
  });
  captured.add(copy);
  return copy;
}

const captured = new WeakSet<readonly StoreEntry[]>();
