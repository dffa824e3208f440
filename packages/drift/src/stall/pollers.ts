import { CkptError } from "@ckpt/errors";
import type { Signal } from "../signal.js";

/** Whether the step is one of the declared pollers: its tool or action is named, or begins with a name that ends in `*`. */
export function isPoller(signal: Signal, pollers: readonly string[]): boolean {
  return pollers.some((poller) => matches(signal.tool, poller) || matches(signal.action, poller));
}

function matches(name: string | undefined, poller: string): boolean {
  if (name === undefined) return false;
  return poller.endsWith("*") ? name.startsWith(poller.slice(0, -1)) : name === poller;
}

/** The declared pollers, or none. Refuses what is no list of texts, which would fail at the first step only. */
export function checkPollers(pollers: readonly string[] = []): readonly string[] {
  if (Array.isArray(pollers) && pollers.every((poller) => typeof poller === "string")) return pollers;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: "The option pollers is no list of texts.",
    hint: 'Give the names of tools or actions, such as ["job_status", "wait_*"].',
    details: { option: "pollers" },
  });
}
