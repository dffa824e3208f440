import { CkptError } from "@ckpt/errors";

/** `migrations[n]` turns a state of version n into one of version n + 1. It gets a fresh mutable value. */
export type Migrations = Readonly<Record<number, (state: never) => unknown>>;

/**
 * Carries stored states to the version that this program knows, step by step, on every read; the stored state stays as it is.
 *
 * A state that was saved without a version counts as version 0 where there is a migration 0, else as version 1. A program
 * without a version knows version 1 only.
 */
export class Migrator {
  readonly version: number | null;
  readonly #steps: ReadonlyMap<number, (state: never) => unknown>;

  /** Throws `CKPT_INVALID_ARGUMENT` for a version below 1, a step beyond it, or a gap between the first step and it. */
  constructor(version: number | undefined, migrations: Migrations | undefined) {
    this.version = version ?? null;
    this.#steps = new Map(Object.entries(migrations ?? {}).map(([from, step]) => [Number(from), step]));
    if (version !== undefined && !(Number.isSafeInteger(version) && version >= 1))
      throw invalid(`version is ${String(version)}, not an integer of at least 1.`, { version });
    if (this.#steps.size === 0) return;
    if (version === undefined)
      throw invalid("There are migrations but no version to arrive at.", { steps: [...this.#steps.keys()] });
    for (const [from, step] of this.#steps) {
      if (!Number.isSafeInteger(from) || from < 0 || from >= version)
        throw invalid(`There is a migration from ${from}, but the version is ${version}.`, { from, version });
      if (typeof step !== "function")
        throw invalid(`The migration from ${from} is not a function.`, { from });
    }
    for (let from = Math.min(...this.#steps.keys()); from < version; from++) {
      if (!this.#steps.has(from))
        throw invalid(`The migration from version ${from} to ${from + 1} is missing.`, { from, version });
    }
  }

  /** The version that `stored` counts as; throws `CKPT_NEWER_VERSION` when this program does not know it yet. */
  versionOf(stored: number | null, id: string): number {
    const from = stored ?? (this.#steps.has(0) ? 0 : 1);
    const known = this.version ?? 1;
    if (from <= known) return from;
    throw new CkptError("CKPT_NEWER_VERSION", {
      message: `Checkpoint ${id} has a state of version ${from}; this program knows versions up to ${known}.`,
      hint: "Run the program that wrote it, or one that is newer.",
      details: { checkpointId: id, storedVersion: from, knownVersion: known },
    });
  }

  /** Carries `state` to this program's version. Rejects with `CKPT_MIGRATION_FAILED`, naming the step. */
  async migrate(state: unknown, stored: number | null, id: string): Promise<unknown> {
    let current = state;
    for (let from = this.versionOf(stored, id); from < (this.version ?? 1); from++) {
      const step = this.#steps.get(from);
      const details = { checkpointId: id, from, to: from + 1 };
      if (step === undefined)
        throw new CkptError("CKPT_MIGRATION_FAILED", {
          message: `Checkpoint ${id} has a state of version ${from}, and there is no migration from it.`,
          hint: `Add migrations[${from}].`,
          details,
        });
      try {
        current = await step(current as never);
      } catch (cause) {
        throw new CkptError("CKPT_MIGRATION_FAILED", {
          message: `The migration of checkpoint ${id} from version ${from} to ${from + 1} threw.`,
          hint: "Correct the migration; the stored state is unchanged.",
          cause,
          details,
        });
      }
    }
    return current;
  }
}

function invalid(message: string, details: Record<string, unknown>): CkptError {
  return new CkptError("CKPT_INVALID_ARGUMENT", {
    message,
    hint: "Give `version` as an integer from 1 and, from the oldest version that is still stored, one migration per step.",
    details,
  });
}
