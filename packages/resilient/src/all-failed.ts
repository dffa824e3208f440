import { fail } from "./errors.js";
import type { Place } from "./place.js";
import { describeError } from "./place-failure.js";

/** One error for a batch that no place took. */
export function allFailed(errors: ReadonlyMap<Place, unknown>): Error {
  const tried = [...errors].map(([place, error]) => ({ place: place.label, ...describeError(error) }));
  return fail("CKPT_ALL_FAILED", {
    message: `No place took the batch: ${tried.map((t) => `${t.place}: ${t.message}`).join("; ")}`,
    hint: "Make one of the places writable again; see details.tried.",
    cause: [...errors.values()][0],
    details: { tried },
  });
}
