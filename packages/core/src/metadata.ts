import { CkptError } from "@ckpt/errors";
import type { Json } from "./checkpoint-header.js";
import { setOwn } from "./state/key-escape.js";

export type Metadata = { readonly [key: string]: Json };

/** Metadata is labels and context, read with every header: small and shallow. */
const MAX_DEPTH = 64;
const MAX_VALUES = 100_000;

/**
 * A frozen copy of a caller's metadata: a plain object of plain JSON. Everything that JSON would lose or alter (undefined, NaN,
 * -0, bigint, Date, class instances, accessors, cycles) is refused with `CKPT_INVALID_ARGUMENT` and its path in `details.path`.
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
  return new PlainCopy(what).of(value);
}

/** Copies and judges in one walk. Where it stands is put into words only when something is refused. */
class PlainCopy {
  private readonly what: string;
  private readonly path: (string | number)[] = [];
  private left = MAX_VALUES;

  constructor(what: string) {
    this.what = what;
  }

  of(value: unknown): Json {
    if (--this.left < 0) throw this.refused(`has more than ${MAX_VALUES} values`, "CKPT_LIMIT");
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") {
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      throw this.refused(`is ${Object.is(value, -0) ? "-0" : String(value)}, which JSON does not have`);
    }
    if (typeof value !== "object") throw this.refused(`is ${typeof value}, which JSON does not have`);
    if (this.path.length >= MAX_DEPTH) throw this.refused(`is nested deeper than ${MAX_DEPTH}`, "CKPT_LIMIT");
    return Array.isArray(value) ? this.array(value) : this.object(value);
  }

  private array(value: readonly unknown[]): Json {
    const items: Json[] = [];
    for (let i = 0; i < value.length; i++) {
      this.path.push(i);
      items.push(this.of(value[i]));
      this.path.pop();
    }
    return Object.freeze(items);
  }

  private object(value: object): Json {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw this.refused("is not a plain object");
    if (Object.getOwnPropertySymbols(value).length > 0) throw this.refused("has a symbol as a key");
    const copy: Record<string, Json> = {};
    for (const key of Object.getOwnPropertyNames(value)) {
      this.path.push(key);
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property === undefined || !("value" in property) || property.enumerable !== true)
        throw this.refused("is an accessor or hidden");
      setOwn(copy, key, this.of(property.value));
      this.path.pop();
    }
    return Object.freeze(copy);
  }

  private refused(says: string, code = "CKPT_INVALID_ARGUMENT"): CkptError {
    const { what } = this;
    const path = `$${this.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("")}`;
    return refused(what, path, says, code);
  }
}

function refused(what: string, path: string, says: string, code = "CKPT_INVALID_ARGUMENT"): CkptError {
  return new CkptError(code, {
    message: `The ${what} at ${path} ${says}.`,
    hint: "Keep plain JSON there; whatever must come back exactly belongs into the state.",
    details: { what, path },
  });
}
