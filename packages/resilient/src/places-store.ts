import {
  type CheckpointHeader,
  type CheckpointStore,
  type CommitReceipt,
  type Lease,
  type Snapshot,
  type StoreCapabilities,
  type StoreEntry,
  throwIfAborted,
  untilAborted,
} from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { applyEntries } from "./agent-facts.js";
import { AgentOrder, agentsOf } from "./agent-order.js";
import { captureEntries } from "./capture-entries.js";
import { fail } from "./errors.js";
import { HEALTHY, type HealthReporting, type IncidentListener, type StoreHealth } from "./health.js";
import { Incidents } from "./incidents.js";
import type { Place } from "./place.js";
import { describeError, isPlaceFailure } from "./place-failure.js";
import { giveBack, letGoEverywhere, takeEverywhere, takeMissing } from "./place-leases.js";
import { PlacesMaintenance } from "./places-maintenance.js";
import { Prober } from "./prober.js";
import { draftOf, otherHistory } from "./reconcile.js";
import { type Abortable, storeClosed } from "./store-decorator.js";
import { type AgentView, newView, survey } from "./survey.js";

export interface PlacesOptions {
  /** First pause before a place that failed is tried again, milliseconds; it doubles up to `maxProbeDelayMs`. Default 1,000. */
  readonly minProbeDelayMs?: number;
  /** Longest pause between two tries, milliseconds. Default 60,000. */
  readonly maxProbeDelayMs?: number;
}

const PLACES_DEFAULTS = Object.freeze({ minProbeDelayMs: 1_000, maxProbeDelayMs: 60_000 });

/** What a decorator over several places offers besides the port. */
export interface PlacesStore extends CheckpointStore, HealthReporting {
  /** Tries now to bring back the places that are out, copying what they miss, in order. Resolves to whether all are well. */
  reconcile(options?: Abortable): Promise<boolean>;
}

/**
 * Several stores as one. Reads are in `PlacesReader`; a subclass decides where a batch goes ({@link write}) and what
 * makes a place well again ({@link bringBack}).
 *
 * Orders that matter: what changes about the places is durable in those that remain before the batch that met the change is
 * acknowledged; a place comes back only after everything that it missed, and the note that says so, is in it.
 */
export abstract class SeveralPlaces extends PlacesMaintenance implements PlacesStore {
  readonly #incidents = new Incidents();
  readonly #prober: Prober;
  protected readonly order = new AgentOrder();
  #reconciling: Promise<boolean> | undefined;
  #closing: Promise<void> | undefined;

  constructor(places: readonly Place[], options: PlacesOptions) {
    super(places);
    for (const place of places) this.#incidents.forwardFrom(place.store);
    this.#prober = new Prober({ ...PLACES_DEFAULTS, ...options }, () => this.reconcile());
  }

  /** Writes a batch to where it belongs, notes included, and brings `views` up to date but for the batch's own facts. */
  protected abstract write(
    entries: readonly StoreEntry[],
    views: readonly AgentView[],
    options: Abortable | undefined,
  ): Promise<CommitReceipt>;

  /**
   * Makes `place` well again for one agent; resolves to the number of checkpoints copied. The place counts as well from the moment on
   * in which the agent is: its next save must not pass it by because other agents are still being copied.
   */
  protected abstract bringBack(place: Place, view: AgentView): Promise<number>;

  /** Whether `place` has work to do before it is well for this agent. */
  protected abstract isBehind(place: Place, view: AgentView): boolean;

  /** Whether batches pass `place` by while it is well. */
  protected abstract isStandby(place: Place): boolean;

  get supports(): StoreCapabilities {
    const all = this.places.map((place) => place.store.supports);
    return {
      durable: all.every((supports) => supports.durable),
      leases: all.every((supports) => supports.leases),
      fencing: all.every((supports) => supports.fencing),
      maintenance: all.some((supports) => supports.maintenance),
    };
  }

  async commit(given: readonly StoreEntry[], options?: Abortable): Promise<CommitReceipt> {
    this.assertOpen();
    const entries = captureEntries(given);
    const agentIds = agentsOf(entries);
    return this.order.run(
      agentIds,
      async () => {
        throwIfAborted(options?.signal, "The commit");
        const views: AgentView[] = [];
        for (const id of agentIds) views.push(this.held.get(id) ?? (await this.#unheld(id)));
        try {
          const receipt = await this.write(entries, views, options);
          for (const view of views) view.state = applyEntries(view.state, entries);
          return receipt;
        } catch (error) {
          for (const view of views) {
            view.noteDue = true;
            const { lastSequence } = applyEntries(view.state, entries);
            if (lastSequence > view.attemptedSequence) view.attemptedSequence = lastSequence;
          }
          throw error;
        }
      },
      options?.signal,
    );
  }

  /** A store without leases takes commits of agents that nobody acquired. */
  async #unheld(agentId: string): Promise<AgentView> {
    if (this.supports.leases) {
      throw fail("CKPT_LOCKED", {
        message: `Agent ${agentId} is not held by this writer`,
        hint: "Acquire the agent before committing to it.",
        details: { agentId },
      });
    }
    const view = await this.#look(agentId);
    this.held.set(agentId, view);
    return view;
  }

  async #look(agentId: string): Promise<AgentView> {
    const { view, lastSequence, unreadable } = await survey(this.places, agentId);
    for (const [place, error] of unreadable) this.dropPlace(place, error);
    const [failure] = unreadable.values();
    // Its history may be in the place that cannot be read: beginning anew would fork it under the same ids.
    if (view === undefined && unreadable.size > 0) throw failure;
    const found = view ?? newView(agentId, this.places, lastSequence);
    for (const place of this.places) if (place.dropped && found.inSync.delete(place)) found.noteDue = true;
    // What one of them holds is not known: it must not be the newest word once it can be read again.
    if (unreadable.size > 0) found.noteDue = true;
    if (this.places.some((place) => this.isBehind(place, found))) this.#prober.wake();
    return found;
  }

  async acquire(agentId: string): Promise<Lease> {
    this.assertOpen();
    return this.order.run([agentId], async () => {
      const { leases, failures } = await takeEverywhere(this.places, agentId);
      for (const [place, error] of failures) this.dropPlace(place, error);
      if (leases.size === 0) throw [...failures.values()].at(-1);
      const view = await this.#look(agentId).catch(async (error: unknown) => {
        await giveBack(leases);
        throw error;
      });
      for (const [place, lease] of leases) place.leases.set(agentId, lease);
      this.held.set(agentId, view);
      const epoch = Math.max(...[...leases.values()].map((lease) => lease.epoch));
      return { agentId, epoch, release: () => this.#letGo(agentId, view) };
    });
  }

  /** Only the holder's own release counts: the view is its mark. */
  #letGo(agentId: string, view: AgentView): Promise<void> {
    return this.order.run([agentId], async () => {
      if (this.held.get(agentId) !== view) return;
      this.held.delete(agentId);
      await letGoEverywhere(this.places, agentId);
    });
  }

  protected override putBack(bad: Place, header: CheckpointHeader, snapshot: Snapshot): void {
    const { agentId } = header;
    const write = this.order.run([agentId], async () => {
      const headId = this.held.get(agentId)?.state.headId ?? null;
      // A put moves the head: it goes back in the same commit, or the copy waits for a better time.
      if (headId === null) return;
      const event = { kind: "head", checkpointId: headId, reason: "repaired" } as const;
      const put = { op: "put", header: draftOf(header), snapshot } as const;
      await bad.store.commit([put, { op: "event", agentId, event }]);
    });
    write.catch((error: unknown) => {
      if (isPlaceFailure(error)) this.dropPlace(bad, error);
      this.note({
        kind: "damaged",
        place: `${bad.label}: ${header.id}`,
        message: `Checkpoint ${header.id} of agent ${agentId} could not be written anew: ${describeError(error).message}`,
        affectedIds: [],
        remedy: "It is tried again when it is read again.",
      });
    });
  }

  protected dropPlace(place: Place, error: unknown): void {
    const wasWell = !place.dropped;
    place.drop(error);
    if (wasWell) this.#incidents.emit({ kind: "place-dropped", place: place.label, error });
    this.#prober.wake();
  }

  async reconcile(options?: Abortable): Promise<boolean> {
    this.assertOpen();
    throwIfAborted(options?.signal, "The reconciliation");
    this.#reconciling ??= this.#reconcileAll().finally(() => {
      this.#reconciling = undefined;
    });
    const all = this.#reconciling;
    return untilAborted(options?.signal, "The reconciliation", () => all);
  }

  async #reconcileAll(): Promise<boolean> {
    for (const place of this.places) {
      const behind = this.#behind(place);
      if (!place.dropped && behind.length === 0) continue;
      const { failures } = place;
      try {
        let copied = 0;
        const elsewhere = await takeMissing(place, this.held.keys());
        if (behind.length === 0) await place.store.agents();
        const free = behind.filter((view) => !elsewhere.has(view.agentId));
        for (const view of free) copied += await this.#bringBack(place, view);
        // Saves went on meanwhile, and may have met another failure.
        if (place.failures !== failures) continue;
        const isNews = place.dropped || free.length > 0;
        place.restore();
        if (isNews) this.#incidents.emit({ kind: "place-returned", place: place.label, copied });
      } catch (error) {
        place.drop(error);
      }
    }
    const isWell = (place: Place) => !place.dropped && this.#behind(place).length === 0;
    return this.places.every(isWell) && [...this.held.values()].every((view) => view.barred.size === 0);
  }

  #behind(place: Place): AgentView[] {
    return [...this.held.values()].filter((view) => this.isBehind(place, view));
  }

  async #bringBack(place: Place, view: AgentView): Promise<number> {
    try {
      return await this.bringBack(place, view);
    } catch (error) {
      if (!isCkptError(error, "CKPT_CONFLICT")) throw error;
      // Asked again with the agent at rest: a save that went there while older ones were copied is no other history.
      await this.order.run([view.agentId], async () => {
        const conflict = await otherHistory(view.authority.store, place.store, view.agentId);
        if (conflict !== undefined) this.bar(place, view, conflict);
      });
      return 0;
    }
  }

  /** The place has another history of this agent: it is left alone, and that is said. Its other agents are untouched. */
  protected bar(place: Place, view: AgentView, error: unknown): void {
    view.barred.add(place);
    view.inSync.delete(place);
    view.noteDue = true;
    this.note({
      kind: "superseded",
      place: `${place.label}: ${view.agentId}`,
      message: `${place.label} holds another history of agent ${view.agentId} and is not used for it: ${describeError(error).message}`,
      affectedIds: [],
      remedy: "Run verify: it names the checkpoints that differ. Keep one place, and empty the other.",
    });
  }

  /** Refuses calls from now on, finishes those before, closes every place. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    await this.order.idle();
    await this.reads.idle();
    await this.#prober.stop();
    await this.#reconciling?.catch(() => {});
    const results = await Promise.allSettled(this.places.map((place) => place.store.close()));
    // A place that is out has nothing that was acknowledged by it alone; any other failure is the caller's to know.
    const failed = results.find((result, i) => result.status === "rejected" && !this.places[i]!.dropped);
    if (failed?.status === "rejected") throw failed.reason;
  }

  protected override assertOpen(): void {
    if (this.#closing !== undefined) throw storeClosed();
  }

  health(): StoreHealth {
    const lastError = this.places.map((place) => place.health(false).lastError).find(Boolean) ?? null;
    return { ...HEALTHY, lastError, places: this.places.map((place) => place.health(this.isStandby(place))) };
  }

  onIncident(listener: IncidentListener): () => void {
    return this.#incidents.on(listener);
  }
}
