import { CkptError, isCkptError } from "@ckpt/errors";
import { throwIfAborted } from "./aborted.js";
import { toCkptError } from "./classify.js";
import type { IoErrorCode } from "./errors.js";

/** A place that failed. */
export interface TriedPlace<Place> {
  readonly place: Place;
  readonly error: CkptError;
  /** How often it was tried there. */
  readonly attempts: number;
}

/** What came of {@link withFallbacks}. */
export interface FallbackResult<Place, T> {
  readonly value: T;
  /** Where it succeeded. */
  readonly place: Place;
  /** The places that failed before, in order; empty when the first one did it. */
  readonly tried: readonly TriedPlace<Place>[];
}

/** Options of {@link withFallbacks}. */
export interface FallbackOptions<Place> {
  readonly signal?: AbortSignal;
  /** Whether the next place may be tried after this error. Default: unless it is an answer that holds everywhere. */
  readonly shouldFallBack?: (error: CkptError, place: Place) => boolean;
  /** Called for each place that failed, before the next is tried. */
  readonly onFallback?: (failed: TriedPlace<Place>, next: Place) => void;
}

/** Another place would give the same answer, or must not be asked. */
const answers: ReadonlySet<string> = new Set([
  "CKPT_ABORTED",
  "CKPT_CLOSED",
  "CKPT_CONFLICT",
  "CKPT_FENCED",
  "CKPT_INVALID_ARGUMENT",
]);

/** Whether an error is one that another place may not have. */
export function mayFallBack(error: CkptError): boolean {
  return !answers.has(error.code);
}

/**
 * Runs `operation` on each place in order until one succeeds, and says what was tried.
 *
 * When the last one fails too: with one place its own error, with several `CKPT_ALL_FAILED`, whose `cause` is an
 * AggregateError of all of them and whose `details.tried` lists place, code, message and attempts. Aborted, conflicting,
 * closed and invalid calls end at once.
 */
export async function withFallbacks<Place, T>(
  places: readonly Place[],
  operation: (place: Place) => Promise<T>,
  options: FallbackOptions<Place> = {},
): Promise<FallbackResult<Place, T>> {
  const { shouldFallBack = mayFallBack } = options;
  const tried: TriedPlace<Place>[] = [];
  for (const [i, place] of places.entries()) {
    throwIfAborted(options.signal, "before the next place");
    try {
      return { value: await operation(place), place, tried };
    } catch (caught) {
      const error = toCkptError(caught, { doing: `use ${describe(place)}` });
      const attempts = error.details.attempts;
      tried.push({ place, error, attempts: typeof attempts === "number" ? attempts : 1 });
      if (places.length === 1 || isCkptError(error, "CKPT_ABORTED")) throw error;
      const next = places[i + 1];
      if (i + 1 === places.length || !shouldFallBack(error, place)) break;
      options.onFallback?.(tried.at(-1)!, next!);
    }
  }
  const last = tried.at(-1);
  if (last !== undefined && !shouldFallBack(last.error, last.place)) throw last.error;
  throw allFailed(tried);
}

function allFailed<Place>(tried: readonly TriedPlace<Place>[]): CkptError<IoErrorCode> {
  if (tried.length === 0) {
    return new CkptError<IoErrorCode>("CKPT_INVALID_ARGUMENT", {
      message: "There is no place to try",
      hint: "Pass at least one.",
      details: { argument: "places" },
    });
  }
  const lines = tried.map(({ place, error }) => `${describe(place)}: ${error.code}`);
  return new CkptError<IoErrorCode>("CKPT_ALL_FAILED", {
    message: `All ${tried.length} places failed (${lines.join("; ")})`,
    hint: tried[0]!.error.hint ?? "See `cause` for what each place reported.",
    cause: new AggregateError(
      tried.map(({ error }) => error),
      "every place failed",
    ),
    details: {
      tried: tried.map(({ place, error, attempts }) => {
        return { place: describe(place), code: error.code, message: error.message, attempts };
      }),
    },
  });
}

function describe(place: unknown): string {
  return typeof place === "string" ? place : ((JSON.stringify(place) as string | undefined) ?? String(place));
}
