import type { CheckpointStore, CommitReceipt, StoreEntry } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { applyEntries } from "./agent-facts.js";
import { allFailed } from "./all-failed.js";
import { checkPlaces } from "./check-stores.js";
import { fail } from "./errors.js";
import { Place } from "./place.js";
import { isPlaceFailure } from "./place-failure.js";
import { noteEntry } from "./place-note.js";
import { type PlacesOptions, type PlacesStore, SeveralPlaces } from "./places-store.js";
import { compareAgent, copyMissing, removeThere, sameHistory } from "./reconcile.js";
import { NONE_REMOVED, withRemovals } from "./removed.js";
import type { Abortable } from "./store-decorator.js";
import type { AgentView } from "./survey.js";

/** Checkpoints copied at a time while saves go on. */
const COPY_CHUNK = 64;

/**
 * A store that keeps everything twice. A batch is acknowledged when every healthy mirror has it; a mirror that fails is dropped,
 * and that is durable in the other one before the acknowledgement. A damaged state is read from the other mirror and, where the
 * store can take it, written anew. A mirror that is well again gets what it misses, in order, before it counts.
 *
 * Two mirrors that hold different states under one id are reported by `verify` and changed by nobody. Errors: those of the stores;
 * `CKPT_ALL_FAILED` with `details.tried` when neither took a batch. Throws `CKPT_INVALID_ARGUMENT` for what is no store, or one given twice.
 */
export function withMirror(a: CheckpointStore, b: CheckpointStore, options: PlacesOptions = {}): PlacesStore {
  checkPlaces([a, b], "withMirror");
  return new MirrorStore([new Place("mirror-1", a), new Place("mirror-2", b)], options);
}

class MirrorStore extends SeveralPlaces {
  protected async write(
    entries: readonly StoreEntry[],
    views: readonly AgentView[],
    options: Abortable | undefined,
  ): Promise<CommitReceipt> {
    const removed = views.map((view) => view.removed);
    try {
      return await this.#write(entries, views, options);
    } catch (error) {
      // What was not acknowledged is not carried out in a mirror that returns.
      views.forEach((view, i) => {
        view.removed = removed[i]!;
      });
      throw error;
    }
  }

  async #write(
    entries: readonly StoreEntry[],
    views: readonly AgentView[],
    options: Abortable | undefined,
  ): Promise<CommitReceipt> {
    for (const view of views) {
      if (view.inSync.size > 0) view.level = new Set(view.inSync);
      for (const place of this.places) if (place.dropped && view.inSync.delete(place)) view.noteDue = true;
    }
    const targets = this.#targets(views);
    for (const view of views) {
      for (const place of this.places)
        if (!targets.includes(place) && view.inSync.delete(place)) view.noteDue = true;
      if (targets.length < this.places.length) remember(view, entries);
    }
    const due = views.filter((view) => view.noteDue).map((view) => this.#note(view, entries));
    const batch = [...entries, ...due];
    const outcomes = await Promise.allSettled(
      targets.map((place) => this.#commitTo(place, batch, views, options)),
    );
    const receipts: CommitReceipt[] = [];
    const survivors: Place[] = [];
    const errors = new Map<Place, unknown>();
    outcomes.forEach((outcome, i) => {
      if (outcome.status === "rejected") errors.set(targets[i]!, outcome.reason);
      else {
        receipts.push(outcome.value);
        survivors.push(targets[i]!);
      }
    });
    for (const error of errors.values()) if (survivors.length === 0 && !isPlaceFailure(error)) throw error;
    for (const [place, error] of errors) this.#leave(place, error, views);
    if (survivors.length === 0) throw allFailed(errors);
    if (errors.size > 0) await this.#record(views, entries, survivors, errors);
    this.#settle(views, survivors[0]!, due.length > 0);
    const first = receipts[0]!;
    return { ...first, bytesWritten: receipts.reduce((sum, receipt) => sum + receipt.bytesWritten, 0) };
  }

  async #commitTo(
    place: Place,
    batch: readonly StoreEntry[],
    views: readonly AgentView[],
    options: Abortable | undefined,
  ): Promise<CommitReceipt> {
    if (place.store.supports.leases) for (const view of views) await place.hold(view.agentId);
    return place.store.commit(batch, options);
  }

  /**
   * The mirrors that have all of every agent in the batch. When those are all out, the ones that were level before are tried
   * nevertheless: what none of them took has made none of them newer.
   */
  #targets(views: readonly AgentView[]): Place[] {
    const whole = this.places.filter((place) => views.every((view) => view.inSync.has(place)));
    if (whole.length > 0) return whole;
    return this.places.filter((place) =>
      views.every((view) => (view.level.size > 0 ? view.level.has(place) : view.authority === place)),
    );
  }

  /** A mirror that could not take a batch: out of it, or, where it refused what the other one took, at odds with it. */
  #leave(place: Place, error: unknown, views: readonly AgentView[]): void {
    // An abort that reached only one of them says nothing of its history.
    const isOut = isPlaceFailure(error) || isCkptError(error, "CKPT_ABORTED");
    if (isOut) this.dropPlace(place, error);
    for (const view of views) {
      view.inSync.delete(place);
      view.noteDue = true;
      if (!isOut) this.bar(place, view, error);
    }
  }

  #settle(views: readonly AgentView[], authority: Place, noted: boolean): void {
    for (const view of views) {
      view.authority = authority;
      view.inSync.add(authority);
      view.level.clear();
      if (noted) view.noteDue = false;
    }
  }

  /** A note with a term of its own, used up even when its commit fails: the place may have it nevertheless. */
  #note(view: AgentView, entries: readonly StoreEntry[]): StoreEntry {
    view.term += 1;
    const { term } = view;
    const facts = applyEntries(view.state, entries);
    return noteEntry(view.agentId, {
      term,
      atSequence: Math.max(facts.lastSequence, view.attemptedSequence),
      complete: true,
      retired: false,
      dropped: this.places.filter((place) => !view.inSync.has(place)).map((place) => place.label),
      facts,
      removed: view.removed,
    });
  }

  /** Before the acknowledgement: that a mirror is out, into those that remain. */
  async #record(
    views: readonly AgentView[],
    entries: readonly StoreEntry[],
    survivors: readonly Place[],
    errors: Map<Place, unknown>,
  ): Promise<void> {
    for (const view of views) remember(view, entries);
    const notes = views.map((view) => this.#note(view, entries));
    let recorded = 0;
    for (const place of survivors) {
      try {
        await place.store.commit(notes);
        recorded++;
      } catch (error) {
        errors.set(place, error);
        this.#leave(place, error, views);
      }
    }
    if (recorded === 0) throw allFailed(errors);
    for (const view of views) view.noteDue = false;
  }

  protected isBehind(place: Place, view: AgentView): boolean {
    return !view.inSync.has(place) && !view.barred.has(place);
  }

  protected isStandby(): boolean {
    return false;
  }

  protected async bringBack(place: Place, view: AgentView): Promise<number> {
    const { agentId } = view;
    const source = view.authority.store;
    await removeThere(place.store, agentId, view.removed);
    await sameHistory(source, place.store, agentId);
    let copied = 0;
    // Most of it while saves go on; what is left, with the agent at rest.
    for (let round = COPY_CHUNK; round === COPY_CHUNK; copied += round) {
      round = await copyMissing(source, place.store, agentId, COPY_CHUNK);
    }
    return this.order.run([agentId], async () => {
      // Saves went on meanwhile, and may have changed which one has the newest word.
      if (!this.isBehind(place, view)) return copied;
      const source = view.authority.store;
      await removeThere(place.store, agentId, view.removed);
      copied += await copyMissing(source, place.store, agentId, Number.MAX_SAFE_INTEGER);
      if (((await place.store.agent(agentId))?.lastSequence ?? 0) > view.state.lastSequence)
        throw isAhead(place, agentId);
      const { entries } = await compareAgent(source, place.store, agentId);
      view.inSync.add(place);
      const note = this.#note(view, []);
      try {
        await place.store.commit([...entries, note]);
      } catch (error) {
        // It may have the note all the same: the one that remains must have a later one before anything else counts.
        view.inSync.delete(place);
        view.noteDue = true;
        throw error;
      }
      view.noteDue = false;
      place.restore();
      try {
        await source.commit([note]);
      } catch (error) {
        if (!isPlaceFailure(error)) throw error;
        // The one that came back has everything, and goes on alone.
        this.#leave(view.authority, error, [view]);
        view.authority = place;
      }
      if (view.inSync.size === this.places.length) view.removed = NONE_REMOVED;
      return copied;
    });
  }
}

/** It took a batch that it reported as failed, or was written by others: the next save tells which. */
function isAhead(place: Place, agentId: string): Error {
  return fail("CKPT_IO", {
    message: `${place.label} has a checkpoint of agent ${agentId} that was never acknowledged`,
    hint: "It is brought level after the next save.",
    details: { agentId, place: place.label },
  });
}

/** What is removed while a mirror is out has to be removed there when it is back. */
function remember(view: AgentView, entries: readonly StoreEntry[]): void {
  const removed = withRemovals(view.removed, view.agentId, view.state.lastSequence, entries);
  if (removed === view.removed) return;
  view.removed = removed;
  view.noteDue = true;
}
