import type { CheckpointStore } from "@ckpt/core";
import {
  HEALTHY,
  type IncidentListener,
  reportsHealth,
  type StoreHealth,
  type StoreIncident,
} from "./health.js";

/** The listeners of one store. A listener that throws never breaks a save, nor keeps the others from hearing. */
export class Incidents {
  readonly #listeners = new Set<IncidentListener>();

  readonly on = (listener: IncidentListener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  emit(incident: StoreIncident): void {
    for (const listener of this.#listeners) {
      try {
        listener(incident);
      } catch (error) {
        // Told once, out of band: the save that led here has to go on.
        process.emitWarning(`A listener for "${incident.kind}" threw: ${String(error)}`, "CkptWarning");
      }
    }
  }

  /** Hands on what the decorated store reports. */
  forwardFrom(inner: CheckpointStore): void {
    if (reportsHealth(inner)) inner.onIncident((incident) => this.emit(incident));
  }
}

/** The health of a decorated store, or plain good health where it reports none. */
export function healthOf(store: CheckpointStore): StoreHealth {
  return reportsHealth(store) ? store.health() : HEALTHY;
}
