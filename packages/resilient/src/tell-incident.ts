import type { StoreIncident } from "./health.js";
import type { ManagerKit } from "./manager-kit.js";

/** What happened to the store, as an event and a line in the log of one of its managers. */
export function tellIncident<State>(
  { agentId, events, logger }: Pick<ManagerKit<State>, "agentId" | "events" | "logger">,
  incident: StoreIncident,
): void {
  switch (incident.kind) {
    case "degraded":
      logger.error("saves reach memory only", { agentId, error: incident.error });
      return events.emit("degraded", { error: incident.error });
    case "flushed": {
      const checkpointIds = incident.checkpointIds.filter((id) => id.startsWith(`${agentId}:`));
      return events.emit("flushed", { checkpointIds });
    }
    case "recovered":
      logger.info("saves are durable again", { agentId, degradedForMs: incident.degradedForMs });
      return events.emit("recovered", { degradedForMs: incident.degradedForMs });
    case "place-dropped": {
      const { place, error } = incident;
      logger.error("a place failed", { agentId, place, error });
      return events.emit("place", { place, state: "dropped", error });
    }
    case "place-returned": {
      const { place, copied } = incident;
      logger.info("a place is back", { agentId, place, copied });
      return events.emit("place", { place, state: "returned", copied });
    }
    case "retrying": {
      const { operation, error, delayMs } = incident;
      logger.warn("a call of the store is tried again", { agentId, operation, error, delayMs });
      return events.emit("retrying", { operation, error, delayMs });
    }
  }
}
