import { TAG } from "../node.js";

const DOLLAR = 36;

/**
 * For `hasOwn.call(object, key)` in a `for … in`: something may have put enumerable properties on the prototype of all objects. In
 * such a loop it costs next to nothing, where `Object.hasOwn` and a list of the keys double its time.
 */
export const hasOwn = Object.prototype.hasOwnProperty;

/** Whether a key is the tag with any number of `$` before it: the keys that are stored with one more `$`. */
function looksLikeTag(key: string): boolean {
  if (!key.endsWith(TAG)) return false;
  for (let i = key.length - TAG.length - 1; i >= 0; i--) if (key.charCodeAt(i) !== DOLLAR) return false;
  return true;
}

/** The stored form of a user's key: itself, or with one more `$` where it looks like the tag. */
export function escapeKey(key: string): string {
  return key.charCodeAt(0) === DOLLAR && looksLikeTag(key) ? `$${key}` : key;
}

/** The user's key behind a stored one. The bare tag never is a user's key and is returned as it is. */
export function unescapeKey(key: string): string {
  return key.charCodeAt(0) === DOLLAR && key !== TAG && looksLikeTag(key) ? key.slice(1) : key;
}

/** What all objects inherit. */
const inherited: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/**
 * Sets an own, enumerable property whatever the key: a plain assignment to `__proto__` would change the prototype, and one to
 * `constructor` throw where somebody froze it.
 */
export function setOwn(target: object, key: string, value: unknown): void {
  if (inherited.has(key)) {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    (target as Record<string, unknown>)[key] = value;
  }
}
