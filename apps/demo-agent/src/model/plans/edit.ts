import { finish, type Plan } from "./decision.js";

const REQUEST = /^apply (?:this|the) edit plan/i;

interface PlannedEdit {
  readonly path: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * `Apply this edit plan: {"edits": [...]}`: copies the files, applies the plan in one call; when that fails, the whole call
 * was undone, so it leaves out the edit that the error names and applies the rest.
 */
export const edit: Plan = {
  matches: (request) => REQUEST.test(request),
  next: ({ request, exchanges }) => {
    const edits = readPlan(request);
    if (edits === undefined)
      return finish("The edit plan is not readable: no JSON with a list of edits in it.");
    const paths = [...new Set(edits.map((planned) => planned.path))];
    const last = exchanges.at(-1);
    if (last === undefined) return { tool: "copy_files", input: { paths } };
    if (last.tool === "copy_files") {
      if (last.failed) return finish(`The files could not be copied: ${String(last.output).slice(0, 300)}`);
      return { tool: "apply_edits", input: { edits } };
    }
    const failures = exchanges.filter((exchange) => exchange.tool === "apply_edits" && exchange.failed);
    if (!last.failed) {
      const left = failures.length > 0 ? ` ${failures.length} could not be applied and was left out.` : "";
      return finish(`Applied ${edits.length - failures.length} of ${edits.length} edits.${left}`);
    }
    const rest = failures.reduce((remaining, failure) => without(remaining, failure.output), edits);
    if (rest.length === 0 || failures.length >= edits.length)
      return finish("No edit of the plan could be applied.");
    return { tool: "apply_edits", input: { edits: rest } };
  },
};

/** The edits without the one that the error message counts out ("Edit 2 of 3 failed"). */
function without(edits: readonly PlannedEdit[], error: unknown): readonly PlannedEdit[] {
  const failed = Number(/Edit (\d+) of/.exec(String(error))?.[1] ?? Number.NaN);
  return edits.filter((_, index) => index !== failed - 1);
}

function readPlan(request: string): readonly PlannedEdit[] | undefined {
  try {
    const plan: unknown = JSON.parse(request.slice(request.indexOf("{")));
    const edits = (plan as { edits?: unknown }).edits;
    if (!Array.isArray(edits) || edits.length === 0) return undefined;
    return edits as readonly PlannedEdit[];
  } catch {
    return undefined;
  }
}
