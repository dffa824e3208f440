import type { AgentState } from "@ckpt/core";
import { newAgent } from "./agent-facts.js";
import type { Place } from "./place.js";
import { isPlaceFailure } from "./place-failure.js";
import { type PlaceNote, parseNote, withoutPlaceNote } from "./place-note.js";
import { NONE_REMOVED, type Removed } from "./removed.js";

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
  /** Places that had everything before the batch that is under way, or that no place has taken: any of them may go on. */
  level: Set<Place>;
  /** Removed while a place was out that may still have them. */
  removed: Removed;
  /** What a place may hold from a batch that failed has to be outranked by a note in the next one. */
  noteDue: boolean;
  /** The highest sequence of a batch that failed: a place may have it all the same. */
  attemptedSequence: number;
  /** Places that stood in once and have not been emptied since: what they hold is in the authority. */
  readonly leftovers: Set<Place>;
  /** Places that hold another history under the same ids: neither written nor overwritten. */
  readonly barred: Set<Place>;
}

export interface Survey {
  /** Undefined when no place that could be read knows the agent. */
  readonly view: AgentView | undefined;
  /** The highest sequence that any place ever heard of, retired ones included. */
  readonly lastSequence: number;
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
  const term = Math.max(...opinions.map((opinion) => opinion.term));
  const lastSequence = Math.max(...opinions.map((opinion) => opinion.sequence));
  const counting = opinions.filter(({ state, note }) => note?.retired !== true && isKnown(state, note));
  counting.sort((a, b) => b.sequence - a.sequence || b.term - a.term);
  const view = counting.length === 0 ? undefined : viewOf(agentId, counting, { term, lastSequence });
  return { view, lastSequence, unreadable };
}

function isKnown(state: AgentState, note: PlaceNote | undefined): boolean {
  const facts = Object.keys(state.notes).length + state.openGuards.length + state.pinnedIds.length;
  return state.lastSequence > 0 || note !== undefined || facts > 0;
}

function viewOf(
  agentId: string,
  opinions: readonly Opinion[],
  { term, lastSequence }: { readonly term: number; readonly lastSequence: number },
): AgentView {
  const best = opinions[0]!;
  const complete = best.note?.complete ?? true;
  const handedOver = opinions.filter(
    ({ place, note }) => place !== best.place && note !== undefined && complete && note.term < best.term,
  );
  const base = {
    agentId,
    authority: best.place,
    complete,
    term,
    removed: best.note?.removed ?? NONE_REMOVED,
    noteDue: false,
    attemptedSequence: 0,
    level: new Set<Place>(),
    leftovers: new Set(handedOver.map((opinion) => opinion.place)),
    barred: new Set<Place>(),
  };
  if (complete) {
    const state = { ...best.state, lastSequence, notes: withoutPlaceNote(best.state.notes) };
    const key = contentKey(best.state);
    const same = opinions.filter((opinion) => contentKey(opinion.state) === key);
    return { ...base, state, inSync: new Set(same.map((opinion) => opinion.place)) };
  }
  // The newest word last, so that it stands. Entries, not assignment: a topic may be called anything.
  const entries = [...opinions]
    .reverse()
    .flatMap(({ state }) => Object.entries(withoutPlaceNote(state.notes)));
  const notes = Object.fromEntries(entries);
  const state = { ...newAgent(agentId), ...best.note?.facts, lastSequence, notes };
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
export function newView(agentId: string, places: readonly Place[], lastSequence: number): AgentView {
  return {
    agentId,
    authority: places[0]!,
    complete: true,
    term: 0,
    state: { ...newAgent(agentId), lastSequence },
    inSync: new Set(places),
    level: new Set(),
    removed: NONE_REMOVED,
    noteDue: false,
    attemptedSequence: 0,
    leftovers: new Set(),
    barred: new Set(),
  };
}
