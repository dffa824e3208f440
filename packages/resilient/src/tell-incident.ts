import { mayBeOf } from "./agent-of-id.js";
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
      events.emit("degraded", { error: incident.error });
      return;
    case "flushed": {
      const checkpointIds = incident.checkpointIds.filter((id) => mayBeOf(agentId, id));
      if (checkpointIds.length > 0) events.emit("flushed", { checkpointIds });
      return;
    }
    case "recovered":
      logger.info("saves are durable again", { agentId, degradedForMs: incident.degradedForMs });
      events.emit("recovered", { degradedForMs: incident.degradedForMs });
      return;
    case "place-dropped": {
      const { place, error } = incident;
      logger.error("a place failed", { agentId, place, error });
      events.emit("place", { place, state: "dropped", error });
      return;
    }
    case "place-returned": {
      const { place, copied } = incident;
      logger.info("a place is back", { agentId, place, copied });
      events.emit("place", { place, state: "returned", copied });
      return;
    }
    case "retrying": {
      const { operation, error, delayMs } = incident;
      logger.warn("a call of the store is tried again", { agentId, operation, error, delayMs });
      events.emit("retrying", { operation, error, delayMs });
      return;
    }
  }
}
