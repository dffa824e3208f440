import type { AgentState, Json, StoreEntry } from "@ckpt/core";
import type { Removed } from "./removed.js";

/** The note's topic in the places; decorators hide it from those above. */
const PLACES_TOPIC = "ckpt.places";

/** Removed checkpoints that a note remembers; beyond it retention simply removes them once more. */
const MAX_REMOVED = 10_000;

/**
 * What is written, durably, into the places that take over: which turn this is, and what a reader must know when the
 * places that went before cannot be read.
 */
export interface PlaceNote {
  /** Rises with every change of places. */
  readonly term: number;
  /** The agent's last sequence, over all places, when the change was made. */
  readonly atSequence: number;
  /** Whether this place alone has the whole history. */
  readonly complete: boolean;
  /** This place stood in, its copies were handed over, and nothing in it counts. */
  readonly retired: boolean;
  /** Places that were out at the time. */
  readonly dropped: readonly string[];
  /** Head, guards and pins: kept up to date while the history is spread over several places. */
  readonly facts: Pick<AgentState, "headId" | "openGuards" | "pinnedIds">;
  /** Removed since, though a place that is out may still have them. */
  readonly removed: Removed;
}

/** The batch entry that records `note`. */
export function noteEntry(agentId: string, note: PlaceNote): StoreEntry {
  const { headId, openGuards, pinnedIds } = note.facts;
  const body: Json = {
    term: note.term,
    atSequence: note.atSequence,
    complete: note.complete,
    retired: note.retired,
    dropped: note.dropped,
    facts: { headId, openGuards: openGuards.map((guard) => ({ ...guard })), pinnedIds },
    removed: [...note.removed].slice(-MAX_REMOVED),
  };
  return { op: "event", agentId, event: { kind: "note", topic: PLACES_TOPIC, body } };
}

type JsonObject = { readonly [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: Json | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const strings = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];

function removals(value: Json | undefined): Removed {
  const pairs = Array.isArray(value) ? (value as readonly Json[]) : [];
  return new Map(
    pairs.flatMap((pair): [string, number][] => {
      const [id, upTo] = Array.isArray(pair) ? (pair as readonly Json[]) : [];
      return typeof id === "string" && isCount(upTo) ? [[id, upTo as number]] : [];
    }),
  );
}

/** Reads a note back. What does not have its shape (it is stored bytes, after all) counts as absent. */
export function parseNote(notes: Readonly<Record<string, Json>>): PlaceNote | undefined {
  const body = Object.hasOwn(notes, PLACES_TOPIC) ? notes[PLACES_TOPIC] : undefined;
  if (!isObject(body) || !isCount(body.term) || !isCount(body.atSequence) || !isObject(body.facts))
    return undefined;
  const { facts } = body;
  const guards = Array.isArray(facts.openGuards) ? (facts.openGuards as readonly Json[]) : [];
  return {
    term: body.term,
    atSequence: body.atSequence,
    complete: body.complete === true,
    retired: body.retired === true,
    dropped: strings(body.dropped),
    facts: {
      headId: typeof facts.headId === "string" ? facts.headId : null,
      openGuards: guards.flatMap((guard) => {
        if (!isObject(guard)) return [];
        const { guardId, operation, checkpointId } = guard;
        const whole = [guardId, operation, checkpointId].every((part) => typeof part === "string");
        return whole
          ? [
              {
                guardId: guardId as string,
                operation: operation as string,
                checkpointId: checkpointId as string,
              },
            ]
          : [];
      }),
      pinnedIds: strings(facts.pinnedIds),
    },
    removed: removals(body.removed),
  };
}

/** The notes without the decorator's own. */
export function withoutPlaceNote(notes: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(notes).filter(([topic]) => topic !== PLACES_TOPIC));
}
