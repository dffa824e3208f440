import { CkptError } from "@ckpt/errors";
import type { Json } from "./checkpoint-header.js";
import { setOwn } from "./state/key-escape.js";
import { plainness } from "./state/plainness.js";

export type Metadata = { readonly [key: string]: Json };

/** Metadata is labels and context, read with every header: small and shallow. */
export const METADATA_MAX_DEPTH = 64;
const MAX_VALUES = 100_000;

/**
 * A frozen copy of a caller's metadata: a plain object of plain JSON. Everything that JSON would lose or alter (undefined, NaN,
 * -0, bigint, Date, class instances, inherited keys, accessors, properties of an array besides its elements, cycles) is refused with
 * `CKPT_INVALID_ARGUMENT`, and more than 64 levels or 100,000 values with `CKPT_LIMIT`; `details.path` says where.
 */
export function captureMetadata(value: unknown, what = "metadata"): Metadata {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refused(what, "$", "is not an object");
  // The manager captures it, and every store again: a copy of a copy is that copy.
  if (captured.has(value)) return value as Metadata;
  if (Object.getPrototypeOf(value) === Object.prototype && Reflect.ownKeys(value).length === 0) return NONE;
  const metadata = freezeJson(value, what) as Metadata;
  captured.add(metadata);
  return metadata;
}

/** What came out of {@link captureMetadata}: frozen to the ground, and judged. */
const captured = new WeakSet<object>();
/** What most checkpoints have. */
const NONE: Metadata = Object.freeze({});
captured.add(NONE);

/** A deep-frozen copy of any plain JSON; refuses the rest as {@link captureMetadata} does. */
export function freezeJson(value: unknown, what: string): Json {
  return new PlainCopy(what, value).copy();
}

/** Copies and judges in one walk. Where it stands is put into words only when something is refused. */
class PlainCopy {
  private readonly what: string;
  private readonly root: unknown;
  private readonly path: (string | number)[] = [];
  private left = MAX_VALUES;

  constructor(what: string, root: unknown) {
    this.what = what;
    this.root = root;
  }

  copy(): Json {
    return this.of(this.root);
  }

  private of(value: unknown): Json {
    if (--this.left < 0) throw this.overLimit(`has more than ${MAX_VALUES} values`);
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") {
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      throw this.refused(`is ${Object.is(value, -0) ? "-0" : String(value)}, which JSON does not have`);
    }
    if (typeof value !== "object") throw this.refused(`is ${typeof value}, which JSON does not have`);
    if (this.path.length >= METADATA_MAX_DEPTH)
      throw this.overLimit(`is nested deeper than ${METADATA_MAX_DEPTH}`);
    const kind = plainness(value);
    if (kind === "other") throw this.refused(`is not a plain ${Array.isArray(value) ? "array" : "object"}`);
    return kind === "array" ? this.array(value as readonly unknown[]) : this.object(value);
  }

  private array(value: readonly unknown[]): Json {
    const items: Json[] = [];
    for (let i = 0; i < value.length; i++) items.push(this.child(value, i));
    if (Reflect.ownKeys(value).length !== value.length + 1)
      throw this.refused("has properties besides its elements");
    return Object.freeze(items);
  }

  private object(value: object): Json {
    if (Object.getOwnPropertySymbols(value).length > 0) throw this.refused("has a symbol as a key");
    const copy: Record<string, Json> = {};
    for (const key of Object.getOwnPropertyNames(value)) setOwn(copy, key, this.child(value, key));
    return Object.freeze(copy);
  }

  private child(parent: object, key: string | number): Json {
    this.path.push(key);
    const property = Object.getOwnPropertyDescriptor(parent, key);
    if (property === undefined) throw this.refused("is undefined, which JSON does not have");
    if (!("value" in property) || property.enumerable !== true)
      throw this.refused("is an accessor or hidden");
    const copy = this.of(property.value);
    this.path.pop();
    return copy;
  }

  private refused(says: string, code = "CKPT_INVALID_ARGUMENT"): CkptError {
    const { what } = this;
    const path = `$${this.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("")}`;
    return refused(what, path, says, code);
  }

  /** A cycle passes every limit; only then is it looked for. */
  private overLimit(says: string): CkptError {
    const above = new Set<unknown>();
    let at = this.root;
    for (let depth = 0; depth < this.path.length && !above.has(at); depth++) {
      above.add(at);
      at = (at as Record<string | number, unknown>)[this.path[depth]!];
    }
    if (!above.has(at)) return this.refused(says, "CKPT_LIMIT");
    this.path.length = above.size;
    return this.refused("is a cycle: it holds itself");
  }
}

function refused(what: string, path: string, says: string, code = "CKPT_INVALID_ARGUMENT"): CkptError {
  return new CkptError(code, {
    message: `The ${what} at ${path} ${says}.`,
    hint: "Keep plain JSON there; whatever must come back exactly belongs into the state.",
    details: { what, path },
  });
}
