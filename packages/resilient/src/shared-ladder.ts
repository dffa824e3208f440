import type { CheckpointStore } from "@ckpt/core";
import { reportsHealth } from "./health.js";
import { type DegradingStore, withDegradation } from "./with-degradation.js";
import { type StoreRetryOptions, withRetry } from "./with-retry.js";

export interface LadderOptions {
  readonly retry?: StoreRetryOptions | false | undefined;
  readonly memoryBytesWhenDegraded: number;
}

const ladders = new WeakMap<CheckpointStore, DegradingStore>();

/**
 * The store with retries and the degraded mode on it: one for all managers of a store, so that the order of their commits, and
 * with it a batch over several agents, survives a bad time. The first manager's options decide.
 */
export function ladderOver(store: CheckpointStore, options: LadderOptions): DegradingStore {
  const known = ladders.get(store);
  if (known !== undefined) return known;
  const ladder = isDegrading(store)
    ? store
    : withDegradation(retrying(store, options), { maxBytes: options.memoryBytesWhenDegraded });
  ladders.set(store, ladder);
  return ladder;
}

/** Several places retry by themselves, each before the next one is asked. */
function retrying(store: CheckpointStore, { retry }: LadderOptions): CheckpointStore {
  if (retry === false || (reportsHealth(store) && store.health().places.length > 0)) return store;
  return withRetry(store, retry ?? {});
}

function isDegrading(store: CheckpointStore): store is DegradingStore {
  return "flush" in store && "settle" in store && reportsHealth(store);
}
