import type { Signal } from "../signal.js";

/** Whether the step is one of the declared pollers: its tool or action is named, or begins with a name that ends in `*`. */
export function isPoller(signal: Signal, pollers: readonly string[]): boolean {
  return pollers.some((poller) => matches(signal.tool, poller) || matches(signal.action, poller));
}

function matches(name: string | undefined, poller: string): boolean {
  if (name === undefined) return false;
  return poller.endsWith("*") ? name.startsWith(poller.slice(0, -1)) : name === poller;
}
