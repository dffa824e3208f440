import { CkptError } from "@ckpt/errors";
import type { Detector, DetectorContext, DetectorEvidence, DetectorJson } from "../detector.js";
import { type Json, JsonReader } from "../json.js";
import type { Signal } from "../signal.js";

const TYPE = "invariant";
/** What a check says comes from elsewhere, and is stored: it is cut to so many characters. */
const MAX_LENGTH = 500;

/** The part of the Standard Schema interface (standardschema.dev) that is used here; zod, valibot and arktype schemas have it. */
export interface StandardSchema {
  readonly "~standard": {
    readonly validate: (value: unknown) => unknown;
  };
}

/** Options of {@link invariant}. */
export interface InvariantOptions<State, View extends Json> {
  /** Unique name. Default: the function's name, or `invariant`. */
  readonly name?: string;
  /** The small part of the state that the check compares with its earlier value; kept as a copy. */
  readonly select?: (state: State) => View;
  /** What to try when it is violated. */
  readonly suggestion?: string;
}

/**
 * A declared truth about the state, checked on every signal that carries one: a predicate, or a schema (zod or any other Standard
 * Schema, synchronous). A violation is drift at once, with confidence 1, and lasts as long as the state violates it. A check that
 * throws is a violation, with the error's message.
 *
 * @example
 * invariant((now, before) => before === undefined || now <= before, { name: "budget only falls", select: (s: State) => s.budget })
 */
export function invariant<State, View extends Json>(
  check: (now: View, before: View | undefined) => boolean | string,
  options: InvariantOptions<State, View> & { readonly select: (state: State) => View },
): Invariant;
export function invariant<State, View extends Json = Json>(
  check: ((now: State, before: undefined) => boolean | string) | StandardSchema,
  options?: Omit<InvariantOptions<State, View>, "select">,
): Invariant;
export function invariant(
  check: ((now: never, before: never) => boolean | string) | StandardSchema,
  options: { name?: string; select?: (state: never) => Json; suggestion?: string } = {},
): Invariant {
  const name = options.name ?? (typeof check === "function" && check.name !== "" ? check.name : TYPE);
  return new Invariant(name, toCheck(check), options.select as Select | undefined, options.suggestion);
}

type Check = (now: unknown, before: unknown) => boolean | string | PromiseLike<unknown>;
type Select = (state: unknown) => Json;

/** The detector that {@link invariant} makes. It holds functions: give it to `DriftMonitor.fromJSON` again. */
export class Invariant implements Detector {
  readonly certain = true;
  #before: Json | undefined;
  #violated: { since: number; count: number; reason: string } | undefined;

  /** @internal Use {@link invariant}. */
  constructor(
    readonly name: string,
    private readonly check: Check,
    private readonly select: Select | undefined,
    private readonly suggestion: string | undefined,
  ) {}

  observe(signal: Signal, context: DetectorContext): DetectorEvidence | undefined {
    if (signal.state === undefined) return this.#evidence();
    const reason = this.#violation(signal.state);
    if (reason === undefined) this.#violated = undefined;
    else
      this.#violated = {
        since: this.#violated?.since ?? context.index,
        count: (this.#violated?.count ?? 0) + 1,
        reason,
      };
    return this.#evidence();
  }

  #violation(state: unknown): string | undefined {
    const reason = this.#tryCheck(state);
    if (!isThenable(reason)) return reason === undefined ? undefined : String(reason).slice(0, MAX_LENGTH);
    // What it rejects with later has nobody else to hear it, and would end the process.
    reason.then(undefined, () => undefined);
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `The check of the invariant "${this.name}" answers asynchronously.`,
      hint: "Use a predicate that returns true, false or a reason, or a schema without async refinements: a monitor answers at once.",
      details: { name: this.name },
    });
  }

  /** The last view that satisfied the check stays the one to compare with, so that a violation lasts until it is mended. */
  #tryCheck(state: unknown): string | undefined | PromiseLike<unknown> {
    try {
      const view = this.select === undefined ? undefined : this.select(state);
      const result = this.check(this.select === undefined ? state : view, this.#before);
      if (result !== true) return result === false ? "it does not hold" : result;
      if (view !== undefined) this.#before = JSON.parse(JSON.stringify(view)) as Json;
      return undefined;
    } catch (error) {
      return `the check threw: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #evidence(): DetectorEvidence | undefined {
    if (this.#violated === undefined) return undefined;
    const { since, count, reason } = this.#violated;
    return {
      metric: "state",
      level: "drift",
      before: "holds",
      after: reason,
      window: count,
      since,
      confidence: 1,
      message: `The invariant "${this.name}" is violated: ${reason}.`,
      suggestion:
        this.suggestion ??
        "Restore the checkpoint from before the violation, and look at the step that broke it.",
    };
  }

  acknowledge(): void {
    this.#violated = undefined;
    this.#before = undefined;
  }

  reset(): void {
    this.acknowledge();
  }

  toJSON(): DetectorJson {
    return {
      type: TYPE,
      name: this.name,
      ...(this.#before === undefined ? {} : { before: this.#before }),
      violated: this.#violated === undefined ? null : { ...this.#violated },
    };
  }

  /** Takes over the state that `toJSON` stored. */
  restore(json: DetectorJson): void {
    const reader = new JsonReader(json, `${TYPE} ${this.name}`);
    this.#before = reader.has("before") ? reader.value("before") : undefined;
    if (reader.value("violated") === null) this.#violated = undefined;
    else {
      const inner = reader.object("violated");
      this.#violated = {
        since: inner.integer("since"),
        count: inner.integer("count"),
        reason: inner.string("reason"),
      };
    }
  }
}

function toCheck(check: ((now: never, before: never) => boolean | string) | StandardSchema): Check {
  if ("~standard" in check) return (now) => validate(check, now);
  if (typeof check === "function") return check as Check;
  throw new CkptError("CKPT_INVALID_ARGUMENT", {
    message: "invariant() takes a predicate or a schema.",
    hint: "Pass a function of the state, or a zod (Standard Schema) schema.",
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function validate(schema: StandardSchema, value: unknown): true | string | PromiseLike<unknown> {
  const result = schema["~standard"].validate(value);
  if (isThenable(result)) return result;
  const issues = (result as { issues?: readonly { message: string; path?: readonly unknown[] }[] }).issues;
  if (issues === undefined || issues.length === 0) return true;
  const first = issues[0]!;
  const path = (first.path ?? []).map((part) =>
    String(typeof part === "object" && part !== null && "key" in part ? part.key : part),
  );
  return `${path.length === 0 ? "" : `${path.join(".")}: `}${first.message}${issues.length > 1 ? ` (and ${issues.length - 1} more)` : ""}`;
}
