import type { CheckpointStore } from "@ckpt/core";
import { invalidArgument } from "./errors.js";

/** Whether `value` has the store port's one write verb. */
export function isStore(value: unknown): value is CheckpointStore {
  return typeof (value as CheckpointStore | null | undefined)?.commit === "function";
}

/** Refuses what is no store, and a store that is given twice: a copy of itself would save nothing. */
export function checkPlaces(stores: readonly unknown[], what: string): void {
  const position = stores.findIndex((store, i) => !isStore(store) || stores.indexOf(store) !== i);
  if (position < 0) return;
  throw invalidArgument(
    isStore(stores[position])
      ? `${what} was given one store twice`
      : `Place ${position + 1} of ${what} is no store`,
    'Give different stores, such as new DiskStore("disk-1") and new DiskStore("disk-2").',
    { position },
  );
}
