/** What an object is by its prototype; `other` is left to codecs and rich types. */
export type Plainness = "plain" | "array" | "null" | "other";

/** Whether `proto` is the named built-in prototype of another realm (a vm context, a test runner's sandbox). */
function isForeign(proto: object, name: string): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(proto, "constructor");
  const owner: unknown = descriptor?.value;
  if (typeof owner !== "function" || owner.name !== name) return false;
  return (
    owner.prototype === proto &&
    Function.prototype.toString.call(owner) === `function ${name}() { [native code] }`
  );
}

/** Classifies a non-null object. Objects and arrays of other realms count as plain and come back as this realm's. */
export function plainness(value: object): Plainness {
  const proto: object | null = Object.getPrototypeOf(value);
  if (proto === Object.prototype) return Array.isArray(value) ? "other" : "plain";
  if (proto === Array.prototype) return Array.isArray(value) ? "array" : "other";
  if (proto === null) return Array.isArray(value) ? "other" : "null";
  if (Array.isArray(value)) return isForeign(proto, "Array") ? "array" : "other";
  return Object.getPrototypeOf(proto) === null && isForeign(proto, "Object") ? "plain" : "other";
}

/** Whether `value` is a direct instance of the built-in `name`, not of a subclass; `native` was checked by the caller. */
export function isDirect(value: object, name: string): boolean {
  const proto: object | null = Object.getPrototypeOf(value);
  if (proto === null) return false;
  const own: unknown = (globalThis as Record<string, unknown>)[name];
  if (typeof own === "function" && own.prototype === proto) return true;
  return isForeign(proto, name);
}
