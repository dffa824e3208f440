import type { AgentState, CheckpointHeader, HeaderQuery, Snapshot, StoreFinding } from "@ckpt/core";
import { isCkptError } from "@ckpt/errors";
import { fail } from "./errors.js";
import { applyQuery, widened } from "./header-query.js";
import { InFlight } from "./in-flight.js";
import type { Place } from "./place.js";
import { describeError, isPlaceFailure } from "./place-failure.js";
import { withoutPlaceNote } from "./place-note.js";
import type { CopySource } from "./reconcile.js";
import { isRemoved } from "./removed.js";
import type { Abortable } from "./store-decorator.js";
import { type AgentView, survey } from "./survey.js";

/** Findings kept until they are taken; beyond it the oldest go. */
const MAX_FINDINGS = 1_000;

/**
 * Reads over several places. Where one place has the whole history it answers alone, and the others stand in when it
 * cannot be read; where the history is spread, the answer is put together, the newest word first.
 */
export abstract class PlacesReader {
  readonly places: readonly Place[];
  /** Views of the agents that are held: nobody else writes those, so they stay true. */
  protected readonly held = new Map<string, AgentView>();
  /** Reads under way: each may take several calls of the places. */
  protected readonly reads = new InFlight();
  #findings: StoreFinding[] = [];

  constructor(places: readonly Place[]) {
    this.places = places;
  }

  protected abstract assertOpen(): void;

  async #view(agentId: string): Promise<AgentView | undefined> {
    const held = this.held.get(agentId);
    if (held !== undefined) return held;
    const { view, unreadable } = await survey(this.places, agentId);
    for (const [place, error] of unreadable) this.note(this.unreadable(place, error));
    return view;
  }

  async list(agentId: string, query: HeaderQuery = {}): Promise<CheckpointHeader[]> {
    this.assertOpen();
    return this.reads.run(() => this.#list(agentId, query));
  }

  async #list(agentId: string, query: HeaderQuery): Promise<CheckpointHeader[]> {
    const view = await this.#view(agentId);
    if (view === undefined) return [];
    if (view.complete) return this.#fromAny(view, (place) => place.store.list(agentId, query));
    return this.#gather(view, query, (place, read) => this.readOr(place, [], read));
  }

  /** Headers from all places, the newest word first; `ask` decides what one that cannot be read means. */
  async #gather(
    view: AgentView,
    query: HeaderQuery,
    ask: (place: Place, read: () => Promise<CheckpointHeader[]>) => Promise<CheckpointHeader[]>,
  ): Promise<CheckpointHeader[]> {
    const wide = widened(query, view.removed.size);
    const byId = new Map<string, CheckpointHeader>();
    const bySequence = new Set<number>();
    for (const place of [view.authority, ...this.places.filter((other) => other !== view.authority)]) {
      const found = await ask(place, () => place.store.list(view.agentId, wide));
      for (const header of found) {
        if (byId.has(header.id) || bySequence.has(header.sequence)) continue;
        if (isRemoved(view.removed, header)) continue;
        byId.set(header.id, header);
        bySequence.add(header.sequence);
      }
    }
    return applyQuery(byId.values(), query);
  }

  /** The history as one, to be copied: rejects where a place that may hold some of it cannot be read. */
  protected wholeHistory(view: AgentView): CopySource {
    return {
      list: (agentId, query = {}) =>
        view.complete
          ? view.authority.store.list(agentId, query)
          : this.#gather(view, query, (_place, read) => read()),
      load: (agentId, id, options) => this.load(agentId, id, options),
      agent: (agentId) => this.agent(agentId),
    };
  }

  async get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    this.assertOpen();
    return this.reads.run(() => this.#get(agentId, id));
  }

  async #get(agentId: string, id: string): Promise<CheckpointHeader | undefined> {
    const view = await this.#view(agentId);
    if (view === undefined) return undefined;
    if (view.complete) return this.#fromAny(view, (place) => place.store.get(agentId, id));
    for (const place of [view.authority, ...this.places.filter((other) => other !== view.authority)]) {
      const header = await this.readOr(place, undefined, () => place.store.get(agentId, id));
      if (header !== undefined && !isRemoved(view.removed, header)) return header;
    }
    return undefined;
  }

  async load(agentId: string, id: string, options?: Abortable): Promise<Snapshot> {
    this.assertOpen();
    return this.reads.run(() => this.#load(agentId, id, options));
  }

  async #load(agentId: string, id: string, options?: Abortable): Promise<Snapshot> {
    const view = await this.#view(agentId);
    if (view?.complete === true) {
      try {
        return await view.authority.store.load(agentId, id, options);
      } catch (error) {
        if (!isCkptError(error, "CKPT_CORRUPT") && !isPlaceFailure(error)) throw error;
        return this.#loadElsewhere(view, id, options, new Map([[view.authority, error]]));
      }
    }
    if (view !== undefined) return this.#loadElsewhere(view, id, options, new Map());
    throw this.#notFound(agentId, id);
  }

  async #loadElsewhere(
    view: AgentView,
    id: string,
    options: Abortable | undefined,
    failures: Map<Place, unknown>,
  ): Promise<Snapshot> {
    const { agentId } = view;
    const header = await this.#get(agentId, id);
    if (header === undefined) throw [...failures.values()][0] ?? this.#notFound(agentId, id);
    for (const place of [view.authority, ...this.places.filter((other) => other !== view.authority)]) {
      if (failures.has(place)) continue;
      try {
        // Another state under the same id is not a copy: it must not stand in.
        if ((await place.store.get(agentId, id))?.stateHash !== header.stateHash) continue;
        const snapshot = await place.store.load(agentId, id, options);
        for (const [bad, error] of failures) this.#heal(bad, place, header, snapshot, error);
        return snapshot;
      } catch (error) {
        if (!isCkptError(error, "CKPT_CORRUPT") && !isPlaceFailure(error)) throw error;
        failures.set(place, error);
      }
    }
    const errors = [...failures.values()];
    throw (
      errors.find((error) => isCkptError(error, "CKPT_CORRUPT")) ?? errors[0] ?? this.#notFound(agentId, id)
    );
  }

  /** Says what happened, and has the good copy put back where that can be done. */
  #heal(bad: Place, good: Place, header: CheckpointHeader, snapshot: Snapshot, error: unknown): void {
    if (!isCkptError(error, "CKPT_CORRUPT")) {
      this.note(this.unreadable(bad, error));
      return;
    }
    const { id, agentId } = header;
    const isHeld = this.held.has(agentId);
    if (isHeld) this.putBack(bad, header, snapshot);
    this.note({
      kind: "damaged",
      place: `${bad.label}: ${id}`,
      message: `Checkpoint ${id} of agent ${agentId} could not be read (${describeError(error).message}); it was read from ${good.label}`,
      affectedIds: [],
      remedy: isHeld
        ? "Nothing: it is written anew from the good copy."
        : "The next process that holds the agent and reads it writes it anew from the good copy.",
    });
  }

  /** Has a good copy written to a place whose own is damaged, beside other work. */
  protected abstract putBack(bad: Place, header: CheckpointHeader, snapshot: Snapshot): void;

  async agent(agentId: string): Promise<AgentState | undefined> {
    this.assertOpen();
    return this.reads.run(() => this.#agent(agentId));
  }

  async #agent(agentId: string): Promise<AgentState | undefined> {
    const view = await this.#view(agentId);
    if (view === undefined) return undefined;
    if (!view.complete)
      return { ...structuredClone(view.state), count: (await this.#list(agentId, {})).length };
    const state = await this.#fromAny(view, (place) => place.store.agent(agentId));
    if (state === undefined) return undefined;
    // A place knows its own puts; the view also of those that were removed before it took over.
    const lastSequence = Math.max(state.lastSequence, view.state.lastSequence);
    return { ...state, lastSequence, notes: withoutPlaceNote(state.notes) };
  }

  async agents(): Promise<string[]> {
    this.assertOpen();
    return this.reads.run(() => this.#agents());
  }

  async #agents(): Promise<string[]> {
    const ids = new Set<string>();
    let failure: unknown;
    let readable = 0;
    for (const place of this.places) {
      try {
        for (const id of await place.store.agents()) ids.add(id);
        readable++;
      } catch (error) {
        if (!isPlaceFailure(error)) throw error;
        failure = error;
        this.note(this.unreadable(place, error));
      }
    }
    if (readable === 0) throw failure;
    return [...ids].sort();
  }

  async #fromAny<T>(view: AgentView, read: (place: Place) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const place of [view.authority, ...view.inSync]) {
      try {
        return await read(place);
      } catch (error) {
        if (!isPlaceFailure(error)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  protected async readOr<T>(place: Place, otherwise: T, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!isPlaceFailure(error)) throw error;
      this.note(this.unreadable(place, error));
      return otherwise;
    }
  }

  #notFound(agentId: string, id: string): Error {
    return fail("CKPT_NOT_FOUND", {
      message: `Agent ${agentId} has no checkpoint ${id}`,
      hint: "List the agent's checkpoints and choose one.",
      details: { agentId, id },
    });
  }

  protected unreadable(place: Place, error: unknown): StoreFinding {
    return {
      kind: "stale",
      place: place.label,
      message: `${place.label} could not be read: ${describeError(error).message}. What is newest there is not known`,
      affectedIds: [],
      remedy: "Make the place readable again.",
    };
  }

  protected at(place: Place, finding: StoreFinding): StoreFinding {
    return { ...finding, place: `${place.label}: ${finding.place}` };
  }

  protected note(finding: StoreFinding): void {
    // The same place unreadable a thousand times is one finding.
    if (this.#findings.some((known) => known.place === finding.place && known.message === finding.message))
      return;
    this.#findings.push(finding);
    if (this.#findings.length > MAX_FINDINGS) this.#findings.shift();
  }

  takeFindings(): StoreFinding[] {
    this.assertOpen();
    const findings = this.#findings;
    this.#findings = [];
    for (const place of this.places) {
      for (const finding of place.store.takeFindings()) findings.push(this.at(place, finding));
    }
    return findings;
  }
}
