import { describe } from "vitest";
import { aborted } from "./aborted.js";
import { basics } from "./basics.js";
import { batches } from "./batches.js";
import { StoreBench, type StoreUnderTest } from "./bench.js";
import { closed } from "./closed.js";
import { concurrency } from "./concurrency.js";
import { conflicts } from "./conflicts.js";
import { damage } from "./damage.js";
import { durability } from "./durability.js";
import { events } from "./events.js";
import { hostile } from "./hostile.js";
import { isolation } from "./isolation.js";
import { leases } from "./leases.js";
import { ordering } from "./ordering.js";
import { removal } from "./removal.js";
import { richTypes } from "./rich-types.js";

/**
 * Declares the tests that every `CheckpointStore` must pass. Call it in a vitest file; what a store need not do is read from
 * `store.supports`.
 *
 * @param name how the store is called in the report.
 */
export function describeStore(name: string, subject: StoreUnderTest): void {
  describe(`${name}: the store port`, () => {
    const bench = new StoreBench(subject);
    for (const group of [
      basics,
      ordering,
      batches,
      conflicts,
      isolation,
      richTypes,
      removal,
      events,
      leases,
      concurrency,
      closed,
      aborted,
      durability,
      damage,
      hostile,
    ]) {
      group(bench);
    }
  });
}
