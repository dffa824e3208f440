import type { Json, StoreEvent } from "@ckpt/core";
import { freezeParsed } from "./metadata-patch.js";

const OUTCOMES = ["completed", "undone", "dismissed"] as const;

/** An event of the store port, field by field from untrusted JSON; undefined when it is none. */
export function decodeEvent(raw: unknown): StoreEvent | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const field = (name: string): unknown =>
    Object.hasOwn(raw, name) ? (raw as Record<string, unknown>)[name] : undefined;
  const kind = field("kind");
  const checkpointId = field("checkpointId");
  const guardId = field("guardId");
  if (kind === "head" || kind === "pinned" || kind === "unpinned") {
    if (typeof checkpointId !== "string") return undefined;
    if (kind !== "head") return { kind, checkpointId };
    const reason = field("reason");
    return typeof reason === "string" ? { kind, checkpointId, reason } : undefined;
  }
  if (kind === "guard-begun") {
    const operation = field("operation");
    if (typeof guardId !== "string" || typeof operation !== "string" || typeof checkpointId !== "string")
      return undefined;
    return { kind, guardId, operation, checkpointId };
  }
  if (kind === "guard-done") {
    const outcome = OUTCOMES.find((known) => known === field("outcome"));
    return typeof guardId === "string" && outcome !== undefined ? { kind, guardId, outcome } : undefined;
  }
  if (kind === "note") {
    const topic = field("topic");
    const body = field("body");
    if (typeof topic !== "string" || body === undefined) return undefined;
    return { kind, topic, body: freezeParsed(body as Json) };
  }
  return undefined;
}
