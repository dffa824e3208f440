import { types } from "node:util";

/**
 * Strict equality of two values, written for these tests alone: tells -0 from 0, undefined from absent, key orders, types,
 * Map and Set orders and lone surrogates apart. Returns where they differ, or undefined.
 */
export function difference(a: unknown, b: unknown, path = "$"): string | undefined {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
    return Object.is(a, b) ? undefined : `${path}: ${String(a)} is not ${String(b)}`;
  }
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: prototypes differ`;
  if (ArrayBuffer.isView(a) || types.isArrayBuffer(a)) return binaryDifference(a, b, path);
  if (a instanceof Date) return difference(a.getTime(), (b as Date).getTime(), `${path}.time`);
  if (a instanceof URL) return difference(a.href, (b as URL).href, `${path}.href`);
  if (a instanceof RegExp) {
    const other = b as RegExp;
    return difference([a.source, a.flags, a.lastIndex], [other.source, other.flags, other.lastIndex], path);
  }
  if (a instanceof Map) return difference([...a], [...(b as Map<unknown, unknown>)], `${path}<Map>`);
  if (a instanceof Set) return difference([...a], [...(b as Set<unknown>)], `${path}<Set>`);
  return propertyDifference(a, b, path);
}

function binaryDifference(a: object, b: object, path: string): string | undefined {
  const bytes = (value: object) =>
    ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : Buffer.from(value as ArrayBuffer);
  return bytes(a).equals(bytes(b)) ? undefined : `${path}: bytes differ`;
}

function propertyDifference(a: object, b: object, path: string): string | undefined {
  const isError = types.isNativeError(a);
  if (isError !== types.isNativeError(b)) return `${path}: only one is an error`;
  // An engine chooses where an error's own fields stand; their order says nothing.
  const names = (value: object) => {
    const keys = Reflect.ownKeys(value);
    return isError ? keys.sort((x, y) => String(x).localeCompare(String(y))) : keys;
  };
  const [keysA, keysB] = [names(a), names(b)];
  if (keysA.length !== keysB.length || keysA.some((key, i) => key !== keysB[i])) {
    return `${path}: keys ${String(keysA)} are not ${String(keysB)}`;
  }
  for (const key of keysA) {
    const [x, y] = [Object.getOwnPropertyDescriptor(a, key), Object.getOwnPropertyDescriptor(b, key)];
    if (x?.enumerable !== y?.enumerable) return `${path}.${String(key)}: enumerability differs`;
    const value = (owner: object) => (owner as Record<PropertyKey, unknown>)[key];
    const found = difference(value(a), value(b), `${path}.${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
