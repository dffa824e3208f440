/** One place under a store, as it stands. */
export interface PlaceHealth {
  /** Which one: `primary`, `fallback-1`, `mirror-2`. */
  readonly place: string;
  /** `active` takes writes; `standby` waits for the ones before it to fail; `dropped` failed, and is tried again from time to time. */
  readonly state: "active" | "standby" | "dropped";
  /** When it was dropped, milliseconds since 1970; null while it is well. */
  readonly since: number | null;
  readonly lastError: { readonly code: string; readonly message: string } | null;
}

/** How well a store is: data for a health endpoint. */
export interface StoreHealth {
  /** Since when saves reach memory only, milliseconds since 1970; null while they are durable. */
  readonly degradedSince: number | null;
  /** Commits that are in memory only, and what they hold, in bytes. */
  readonly pendingCommits: number;
  readonly pendingBytes: number;
  /** Ids of the checkpoints among them, oldest first. */
  readonly pendingIds: readonly string[];
  readonly lastError: { readonly code: string; readonly message: string } | null;
  readonly places: readonly PlaceHealth[];
}

/** Something that happened to a store, for events and logs. */
export type StoreIncident =
  /** A commit reached memory only; the first of an episode. */
  | { readonly kind: "degraded"; readonly error: unknown }
  /** These checkpoints, until now in memory only, are durable. */
  | { readonly kind: "flushed"; readonly checkpointIds: readonly string[]; readonly commits: number }
  /** Nothing is left in memory: saves are durable again. */
  | { readonly kind: "recovered"; readonly degradedForMs: number }
  | { readonly kind: "place-dropped"; readonly place: string; readonly error: unknown }
  | { readonly kind: "place-returned"; readonly place: string; readonly copied: number }
  /** A call failed in a way that often passes, and is tried again in `delayMs`. */
  | {
      readonly kind: "retrying";
      readonly operation: string;
      readonly error: unknown;
      readonly delayMs: number;
    };

export type IncidentListener = (incident: StoreIncident) => void;

/** What the decorators add to the port: how the store is, and word of what happens to it. */
export interface HealthReporting {
  health(): StoreHealth;
  onIncident(listener: IncidentListener): () => void;
}

export const HEALTHY: StoreHealth = Object.freeze({
  degradedSince: null,
  pendingCommits: 0,
  pendingBytes: 0,
  pendingIds: Object.freeze([]),
  lastError: null,
  places: Object.freeze([]),
});

/** Whether a store reports its health. */
export function reportsHealth(store: object): store is HealthReporting {
  return (
    "health" in store &&
    typeof store.health === "function" &&
    "onIncident" in store &&
    typeof store.onIncident === "function"
  );
}
