import type { AgentState } from "@ckpt/core";
import { newAgent } from "./agent-facts.js";
import type { Place } from "./place.js";
import { isPlaceFailure } from "./place-failure.js";
import { type PlaceNote, parseNote, withoutPlaceNote } from "./place-note.js";

/** One agent as it stands over several places. */
export interface AgentView {
  readonly agentId: string;
  /** The place that holds the newest word. */
  authority: Place;
  /** Whether `authority` alone has the whole history. */
  complete: boolean;
  /** The newest change of places. */
  term: number;
  /** Facts over all places; its `count` holds for a complete view only. */
  state: AgentState;
  /** Places whose content is that of the authority, itself among them. */
  inSync: Set<Place>;
  /** Removed while the history was spread over several places. */
  removedIds: string[];
  /** The remaining places do not know yet that one is out. */
  noteDue: boolean;
}

export interface Survey {
  /** Undefined when no place knows the agent. */
  readonly view: AgentView | undefined;
  /** Places that could not be read, and why. */
  readonly unreadable: ReadonlyMap<Place, unknown>;
}

interface Opinion {
  readonly place: Place;
  readonly state: AgentState;
  readonly note: PlaceNote | undefined;
  readonly sequence: number;
  readonly term: number;
}

/**
 * Reads what every place knows of an agent, and finds the one with the newest word: the highest sequence, counting the one that
 * a note of a change of places was written at; among equals the highest term; among equals the first. (Epochs are
 * each store's own, and say nothing across stores; sequences are the agent's.) Rejects when no place can be read.
 */
export async function survey(places: readonly Place[], agentId: string): Promise<Survey> {
  const opinions: Opinion[] = [];
  const unreadable = new Map<Place, unknown>();
  const answers = await Promise.allSettled(places.map((place) => place.store.agent(agentId)));
  answers.forEach((answer, i) => {
    const place = places[i]!;
    if (answer.status === "rejected") {
      if (!isPlaceFailure(answer.reason)) throw answer.reason;
      unreadable.set(place, answer.reason);
      return;
    }
    const state = answer.value ?? newAgent(agentId);
    const note = parseNote(state.notes);
    const sequence = Math.max(state.lastSequence, note?.atSequence ?? 0);
    opinions.push({ place, state, note, sequence, term: note?.term ?? 0 });
  });
  if (opinions.length === 0) throw [...unreadable.values()][0];
  opinions.sort((a, b) => b.sequence - a.sequence || b.term - a.term);
  const known = opinions.some(
    ({ state, note }) => state.lastSequence > 0 || note !== undefined || hasFacts(state),
  );
  return { view: known ? viewOf(agentId, opinions) : undefined, unreadable };
}

function hasFacts(state: AgentState): boolean {
  return Object.keys(state.notes).length > 0 || state.openGuards.length > 0 || state.pinnedIds.length > 0;
}

function viewOf(agentId: string, opinions: readonly Opinion[]): AgentView {
  const best = opinions[0]!;
  const complete = best.note?.complete ?? true;
  const base = {
    agentId,
    authority: best.place,
    complete,
    term: best.term,
    removedIds: complete ? [] : [...(best.note?.removedIds ?? [])],
    noteDue: false,
  };
  if (complete) {
    const state = { ...best.state, lastSequence: best.sequence, notes: withoutPlaceNote(best.state.notes) };
    const key = contentKey(best.state);
    const same = opinions.filter((opinion) => contentKey(opinion.state) === key);
    return { ...base, state, inSync: new Set(same.map((opinion) => opinion.place)) };
  }
  const notes = Object.assign(
    {},
    ...[...opinions].reverse().map(({ state }) => withoutPlaceNote(state.notes)),
  );
  const state = { ...newAgent(agentId), ...best.note?.facts, lastSequence: best.sequence, notes };
  return { ...base, state, inSync: new Set([best.place]) };
}

/** Equal for two places that hold the same of an agent, as far as their indexes tell. */
function contentKey(state: AgentState): string {
  const guards = state.openGuards.map((guard) => guard.guardId).sort();
  const notes = Object.entries(withoutPlaceNote(state.notes)).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    state.count,
    state.lastSequence,
    state.headId,
    guards,
    [...state.pinnedIds].sort(),
    notes,
  ]);
}

/** The view of an agent that no place knows yet. */
export function newView(agentId: string, first: Place, all: readonly Place[]): AgentView {
  return {
    agentId,
    authority: first,
    complete: true,
    term: 0,
    state: newAgent(agentId),
    inSync: new Set(all),
    removedIds: [],
    noteDue: false,
  };
}
