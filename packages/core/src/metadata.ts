import { CkptError } from "@ckpt/errors";
import type { Json } from "./checkpoint-header.js";

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
  const metadata = freezeJson(value, what) as Metadata;
  captured.add(metadata);
  return metadata;
}

/** What came out of {@link captureMetadata}: frozen to the ground, and judged. */
const captured = new WeakSet<object>();

/** A deep-frozen copy of any plain JSON; refuses the rest as {@link captureMetadata} does. */
export function freezeJson(value: unknown, what: string): Json {
  const budget = { left: MAX_VALUES };
  return copy(value, what, "$", 0, budget);
}

function copy(value: unknown, what: string, path: string, depth: number, budget: { left: number }): Json {
  if (--budget.left < 0) throw refused(what, path, `has more than ${MAX_VALUES} values`, "CKPT_LIMIT");
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    throw refused(what, path, `is ${Object.is(value, -0) ? "-0" : String(value)}, which JSON does not have`);
  }
  if (typeof value !== "object") throw refused(what, path, `is ${typeof value}, which JSON does not have`);
  if (depth >= MAX_DEPTH) throw refused(what, path, `is nested deeper than ${MAX_DEPTH}`, "CKPT_LIMIT");
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (let i = 0; i < value.length; i++)
      items.push(copy(value[i], what, `${path}[${i}]`, depth + 1, budget));
    return Object.freeze(items);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw refused(what, path, "is not a plain object");
  if (Object.getOwnPropertySymbols(value).length > 0) throw refused(what, path, "has a symbol as a key");
  const entries: [string, Json][] = [];
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    const at = `${path}.${key}`;
    if (!("value" in property) || property.enumerable !== true)
      throw refused(what, at, "is an accessor or hidden");
    entries.push([key, copy(property.value, what, at, depth + 1, budget)]);
  }
  // fromEntries defines own properties, `__proto__` too.
  return Object.freeze(Object.fromEntries(entries));
}

function refused(what: string, path: string, says: string, code = "CKPT_INVALID_ARGUMENT"): CkptError {
  return new CkptError(code, {
    message: `The ${what} at ${path} ${says}.`,
    hint: "Keep plain JSON there; whatever must come back exactly belongs into the state.",
    details: { what, path },
  });
}
