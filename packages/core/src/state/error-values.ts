import { types } from "node:util";
import { isDirect } from "./plainness.js";

/** The built-in error classes whose direct instances a state can hold. */
export const ERROR_TYPES = [
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "ReferenceError",
  "EvalError",
  "URIError",
  "AggregateError",
] as const;

/** The own, non-enumerable properties of a built-in error, in the order in which they are kept. */
export const ERROR_FIELDS = ["name", "message", "stack", "cause", "errors"] as const;

/** An error taken apart: its class, its non-enumerable own fields, its other properties. */
export interface ErrorParts {
  readonly type: string;
  readonly own: Readonly<Record<string, unknown>>;
  readonly props: Readonly<Record<string, unknown>>;
}

/** The class of a built-in error, or undefined for anything else, subclasses included. */
export function errorType(value: object): string | undefined {
  if (!types.isNativeError(value)) return undefined;
  for (const type of ERROR_TYPES) if (isDirect(value, type)) return type;
  return undefined;
}

/**
 * Takes an error apart, or says why it cannot be kept. Some engines show `stack` as an accessor: it is the one that is read.
 */
export function errorParts(value: object, type: string): ErrorParts | string {
  const own: Record<string, unknown> = {};
  const props: Record<string, unknown> = {};
  const found = new Map<string, unknown>();
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === "symbol") return "an error with a symbol key";
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (descriptor === undefined) return "an error that changes while it is read";
    if (key === "stack" && !descriptor.enumerable) {
      // In some engines an accessor of every error's own.
      found.set(key, (value as Error).stack);
    } else if (!("value" in descriptor)) {
      return `an error with the accessor ${JSON.stringify(key)}`;
    } else if (descriptor.enumerable) {
      Object.defineProperty(props, key, { value: descriptor.value, enumerable: true, configurable: true });
    } else if ((ERROR_FIELDS as readonly string[]).includes(key)) {
      found.set(key, descriptor.value);
    } else {
      return `an error with the non-enumerable property ${JSON.stringify(key)}`;
    }
  }
  for (const field of ERROR_FIELDS) if (found.has(field)) own[field] = found.get(field);
  return { type, own, props };
}

/** An error of the class with exactly the given fields and properties. */
export function rebuildError(
  type: string,
  own: Readonly<Record<string, unknown>>,
  props: Readonly<Record<string, unknown>>,
): Error {
  const error = construct(type);
  // Before anything else is set: an engine formats its own stack when it is replaced, out of a message that may have no text.
  Reflect.deleteProperty(error, "stack");
  for (const field of ["message", "errors"]) {
    if (!Object.hasOwn(own, field)) Reflect.deleteProperty(error, field);
  }
  for (const field of Object.keys(own)) {
    Object.defineProperty(error, field, {
      value: own[field],
      enumerable: false,
      configurable: true,
      writable: true,
    });
  }
  for (const key of Object.keys(props)) {
    Object.defineProperty(error, key, {
      value: props[key],
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return error;
}

function construct(type: string): Error {
  switch (type) {
    case "TypeError":
      return new TypeError("");
    case "RangeError":
      return new RangeError("");
    case "SyntaxError":
      return new SyntaxError("");
    case "ReferenceError":
      return new ReferenceError("");
    case "EvalError":
      return new EvalError("");
    case "URIError":
      return new URIError("");
    case "AggregateError":
      return new AggregateError([], "");
    default:
      return new Error("");
  }
}
