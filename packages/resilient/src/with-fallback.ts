import type { CheckpointStore, CommitReceipt, Lease, StoreEntry } from "@ckpt/core";
import { applyEntries, newAgent } from "./agent-facts.js";
import { allFailed } from "./all-failed.js";
import { checkPlaces } from "./check-stores.js";
import { invalidArgument } from "./errors.js";
import { Place } from "./place.js";
import { isPlaceFailure } from "./place-failure.js";
import { noteEntry } from "./place-note.js";
import { type PlacesOptions, type PlacesStore, SeveralPlaces } from "./places-store.js";
import { compareAgent, copyMissing, removeThere, sameHistory } from "./reconcile.js";
import { NONE_REMOVED, type Removed, withRemovals } from "./removed.js";
import type { Abortable } from "./store-decorator.js";
import type { AgentView } from "./survey.js";

/** Checkpoints copied at a time while saves go on. */
const COPY_CHUNK = 64;

/**
 * A store that writes to the first place that takes it. While the primary is well the others stay empty; when it fails, batches
 * go to the next one, and the move is recorded there in the same commit. Reads put together what is spread. When an earlier
 * place is well again it gets what it misses, in order, and takes over.
 *
 * The last argument may be options. Errors: those of the stores; `CKPT_ALL_FAILED` with `details.tried` when no place took a batch. Throws
 * `CKPT_INVALID_ARGUMENT` for what is no store, or one given twice.
 */
export function withFallback(
  primary: CheckpointStore,
  ...others: [...CheckpointStore[], CheckpointStore | PlacesOptions]
): PlacesStore {
  const last = others.at(-1);
  const hasOptions = last === undefined || (typeof last === "object" && last !== null && !("commit" in last));
  const options = hasOptions ? (last ?? {}) : {};
  const stores = (hasOptions ? others.slice(0, -1) : others) as readonly CheckpointStore[];
  if (stores.length === 0) {
    throw invalidArgument(
      "withFallback was given one place",
      "Give it at least two stores: the primary and one to fall back to.",
    );
  }
  checkPlaces([primary, ...stores], "withFallback");
  const places = [primary, ...stores].map(
    (store, i) => new Place(i === 0 ? "primary" : `fallback-${i}`, store),
  );
  return new FallbackStore(places, options);
}

class FallbackStore extends SeveralPlaces {
  protected async write(
    entries: readonly StoreEntry[],
    views: readonly AgentView[],
    options: Abortable | undefined,
  ): Promise<CommitReceipt> {
    const errors = new Map<Place, unknown>();
    for (const place of this.#candidates(views)) {
      const moving = views.filter((view) => view.authority !== place);
      const notes = views
        .filter((view) => view.authority !== place || !view.complete || view.noteDue)
        .map((view) => this.#moveNote(place, view, entries));
      try {
        if (place.store.supports.leases) for (const view of views) await place.hold(view.agentId);
        const receipt = await place.store.commit([...entries, ...notes.map((note) => note.entry)], options);
        for (const view of moving) {
          if (this.places.indexOf(place) < this.places.indexOf(view.authority)) this.#tellSpread(view, place);
          this.#moved(view, place);
        }
        for (const { view, removed } of notes) {
          view.removed = removed;
          view.noteDue = false;
        }
        return receipt;
      } catch (error) {
        if (!isPlaceFailure(error)) throw error;
        errors.set(place, error);
        this.dropPlace(place, error);
      }
    }
    throw allFailed(errors);
  }

  /** From the place that writes now onwards; those before it only when nothing else is left, as they miss what came later. */
  #candidates(views: readonly AgentView[]): readonly Place[] {
    const current = Math.max(...views.map((view) => this.places.indexOf(view.authority)));
    const allowed = (place: Place) => !views.some((view) => view.barred.has(place));
    const ordered = [...this.places.slice(current), ...this.places.slice(0, current)].filter(allowed);
    const well = ordered.filter((place) => !place.dropped);
    return well.length > 0 ? [...well, ...ordered.filter((place) => place.dropped)] : ordered;
  }

  /** The entry that records, with the batch itself, that the place has the newest word, and whether it has the whole history. */
  #moveNote(
    place: Place,
    view: AgentView,
    entries: readonly StoreEntry[],
  ): { view: AgentView; removed: Removed; entry: StoreEntry } {
    const { agentId } = view;
    const isSpread = view.authority !== place || !view.complete;
    const { lastSequence } = view.state;
    const removed = isSpread ? withRemovals(view.removed, agentId, lastSequence, entries) : view.removed;
    const facts = applyEntries(view.state, entries);
    // A term is used up even when the commit fails: the place may have the note nevertheless.
    view.term += 1;
    const complete = view.authority === place && view.complete;
    const entry = noteEntry(agentId, {
      term: view.term,
      atSequence: Math.max(facts.lastSequence, view.attemptedSequence),
      complete,
      retired: false,
      dropped: this.places.filter((other) => other.dropped).map((other) => other.label),
      facts,
      removed,
    });
    return { view, removed, entry };
  }

  #moved(view: AgentView, place: Place): void {
    view.authority = place;
    view.complete = false;
    view.inSync = new Set([place]);
    view.leftovers.delete(place);
  }

  override async acquire(agentId: string): Promise<Lease> {
    const lease = await super.acquire(agentId);
    const view = this.held.get(agentId);
    // Only the earliest place is never brought level any more.
    if (view?.complete === false && view.authority === this.places[0]) this.#tellSpread(view, view.authority);
    return lease;
  }

  /** Not every place takes what is older than its newest: what `place` has gone past can never be copied into it. */
  #tellSpread({ agentId }: AgentView, place: Place): void {
    this.note({
      kind: "stale",
      place: `${place.label}: ${agentId}`,
      message: `The history of agent ${agentId} is spread: ${place.label} has gone on without some of what the other places took while it was out.`,
      affectedIds: [],
      remedy:
        "Reads put the places together, so keep all of them. To have it in one, import an export of it into a new store.",
    });
  }

  protected isBehind(place: Place, view: AgentView): boolean {
    if (view.barred.has(place)) return false;
    return this.places.indexOf(place) < this.places.indexOf(view.authority) || view.leftovers.has(place);
  }

  protected isStandby(place: Place): boolean {
    const active = [...this.held.values()].some((view) => view.authority === place);
    return this.held.size === 0 ? place !== this.places[0] : !active;
  }

  protected async bringBack(place: Place, view: AgentView): Promise<number> {
    const { agentId } = view;
    if (view.leftovers.has(place)) {
      await this.order.run([agentId], async () => {
        // A save that came before may have moved here: then it is no leftover any more.
        if (view.leftovers.has(place)) await this.#retire(place, view);
      });
      return 0;
    }
    const source = this.wholeHistory(view);
    await removeThere(place.store, agentId, view.removed);
    await sameHistory(view.authority.store, place.store, agentId);
    let copied = 0;
    // Most of it while saves go on; what is left, with the agent at rest.
    for (let round = COPY_CHUNK; round === COPY_CHUNK; copied += round) {
      round = await copyMissing(source, place.store, agentId, COPY_CHUNK);
    }
    return this.order.run([agentId], async () => {
      // Saves went on meanwhile, and may have moved to this very place.
      if (!this.isBehind(place, view)) return copied;
      await removeThere(place.store, agentId, view.removed);
      copied += await copyMissing(source, place.store, agentId, Number.MAX_SAFE_INTEGER);
      const { entries, unmovableIds } = await compareAgent(source, place.store, agentId);
      const complete = unmovableIds.length === 0;
      view.term += 1;
      const note = noteEntry(agentId, {
        term: view.term,
        atSequence: view.state.lastSequence,
        complete,
        retired: false,
        dropped: [],
        facts: view.state,
        removed: complete ? NONE_REMOVED : view.removed,
      });
      await place.store.commit([...entries, note]);
      place.restore();
      const former = view.authority;
      this.#moved(view, place);
      view.complete = complete;
      if (!complete) {
        this.#tellSpread(view, place);
        return copied;
      }
      view.removed = NONE_REMOVED;
      view.leftovers.add(former);
      await this.#retire(former, view);
      return copied;
    });
  }

  /** The copies in the place that stood in have served: they go, and it says that nothing in it counts. */
  async #retire(place: Place, view: AgentView): Promise<void> {
    const { agentId } = view;
    try {
      const ids = (await place.store.list(agentId)).map((header) => header.id);
      const removal: StoreEntry = {
        op: "remove",
        agentId,
        ids,
        reason: "reconciled: copied to an earlier place",
      };
      const note = noteEntry(agentId, {
        term: view.term,
        atSequence: view.state.lastSequence,
        complete: false,
        retired: true,
        dropped: [],
        facts: newAgent(agentId),
        removed: NONE_REMOVED,
      });
      await place.store.commit(ids.length > 0 ? [removal, note] : [note]);
      view.leftovers.delete(place);
    } catch (error) {
      // They are copies, and the note in the place that took over outranks them. It is tried again.
      if (!isPlaceFailure(error)) throw error;
      this.dropPlace(place, error);
    }
  }
}
