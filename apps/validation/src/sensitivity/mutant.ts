/** A change of the code or of the file system below it that takes one safeguard out, and what should notice. */
import type { Safeguard } from "@ckpt/conformance/faulty-fs";
import type { InstrumentName } from "./instruments/index.js";

/** Replaces a passage of one source file. It must stand there exactly once, or the mutant does not apply. */
export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Takes a safeguard out of the file system, for the paths that the pattern matches. */
export interface Removal {
  readonly safeguard: Safeguard;
  /** Source of a regular expression over paths; the store is at `/store`. */
  readonly paths: string;
}

export interface Change {
  readonly edits?: readonly Edit[];
  readonly removals?: readonly Removal[];
}

export interface Mutant extends Change {
  readonly name: string;
  /** The cheapest instruments that should see it first. */
  readonly instruments: readonly InstrumentName[];
  /** For a redundant safeguard: what else covers it, and what is taken out together with it. Both together must be caught. */
  readonly coveredBy?: Change & { readonly what: string; readonly instruments?: readonly InstrumentName[] };
}

/** Two changes at once. */
export function together(a: Change, b: Change): Change {
  return {
    edits: [...(a.edits ?? []), ...(b.edits ?? [])],
    removals: [...(a.removals ?? []), ...(b.removals ?? [])],
  };
}

/** An edit of one file of a package. */
export const edit = (file: string, find: string, replace: string): Edit => ({
  file: `packages/${file}.ts`,
  find,
  replace,
});
