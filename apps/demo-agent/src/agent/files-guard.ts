import { isCkptError } from "@ckpt/errors";
import type { ResilientCheckpointManager } from "@ckpt/resilient";
import type { Line } from "../shared/protocol.js";
import type { Guard } from "../tools/apply-edits.js";
import type { AgentState } from "./state.js";
import type { Workshop } from "./workshop.js";

/**
 * `checkpoints.guard` for tools that change the working copy: the state goes back when the tool fails, and the files follow
 * the state. It looks at the disk before, at the failure and after, and says what it saw.
 */
export function filesGuard(
  checkpoints: ResilientCheckpointManager<AgentState>,
  workshop: Workshop,
  say: (line: Line) => void,
): Guard {
  return async (operation, fn) => {
    const before = await workshop.contents();
    let halfway = before;
    try {
      const result = await checkpoints.guard(operation, async () => {
        try {
          return await fn();
        } catch (error) {
          halfway = await workshop.contents();
          say({ type: "restoring", reason: `undo of ${operation}` });
          throw error;
        }
      });
      const changed = differing(before, await workshop.contents());
      say({
        type: "guard",
        operation,
        outcome: "completed",
        detail: `${changed.length} files changed on disk`,
      });
      return result;
    } catch (error) {
      if (!isCkptError(error, "CKPT_GUARD_FAILED")) throw error;
      const left = differing(before, await workshop.contents());
      const undone = error.details.restored === true && left.length === 0;
      const touched = differing(before, halfway).join(", ") || "no file";
      const now = undone
        ? "all files on disk are as before"
        : `still changed on disk: ${left.join(", ") || "none"}`;
      const detail = `it failed with ${touched} changed; now ${now}`;
      say({ type: "guard", operation, outcome: undone ? "undone" : "not-undone", detail });
      // The model is told what went wrong and where things stand; the guard's own error is for programs.
      const reason = error.cause instanceof Error ? error.cause.message : error.message;
      throw new Error(`${reason} ${undone ? "Nothing of it was kept." : "It could not be undone."}`, {
        cause: error,
      });
    }
  };
}

function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((path) => a.get(path) !== b.get(path));
}
