import type { Lease } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import type { Place } from "./place.js";
import { isPlaceFailure } from "./place-failure.js";

export interface TakenLeases {
  readonly leases: ReadonlyMap<Place, Lease>;
  /** Places that cannot do it now. */
  readonly failures: ReadonlyMap<Place, unknown>;
}

/** Takes the agent in every place that can do it. Where one of them refuses (another writer has it), none is kept. */
export async function takeEverywhere(places: readonly Place[], agentId: string): Promise<TakenLeases> {
  const leases = new Map<Place, Lease>();
  const failures = new Map<Place, unknown>();
  for (const place of places) {
    try {
      leases.set(place, await place.store.acquire(agentId));
    } catch (error) {
      if (!isPlaceFailure(error)) {
        await giveBack(leases);
        throw error;
      }
      failures.set(place, error);
    }
  }
  return { leases, failures };
}

/** Gives all of them back, each for itself: the failure that led here is the one to hear of. */
export async function giveBack(leases: ReadonlyMap<Place, Lease>): Promise<void> {
  await Promise.allSettled([...leases.values()].map((lease) => lease.release()));
}

/** Lets go of the agent everywhere, also where one of the places fails at it; rejects with the first such failure. */
export async function letGoEverywhere(places: readonly Place[], agentId: string): Promise<void> {
  const results = await Promise.allSettled(places.map((place) => place.letGo(agentId)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Takes what a place that is back has not been asked for. Resolves to the agents that another writer has there: they wait, the others need not. */
export async function takeMissing(place: Place, agentIds: Iterable<string>): Promise<ReadonlySet<string>> {
  const elsewhere = new Set<string>();
  if (!place.store.supports.leases) return elsewhere;
  for (const agentId of agentIds) {
    try {
      await place.hold(agentId);
    } catch (error) {
      if (!isCkptError(error, "CKPT_LOCKED")) throw error;
      elsewhere.add(agentId);
    }
  }
  return elsewhere;
}
