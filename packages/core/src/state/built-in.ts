import { types } from "node:util";
import { isDirect } from "./plainness.js";

/** The built-in classes, besides binary and errors, whose direct instances a state can hold. */
export type BuiltInTag = "Map" | "Set" | "Date" | "RegExp" | "URL";

/** The tag of a built-in value; undefined for everything else, subclasses included. */
export function builtInTag(value: object): BuiltInTag | undefined {
  if (types.isMap(value)) return isDirect(value, "Map") ? "Map" : undefined;
  if (types.isSet(value)) return isDirect(value, "Set") ? "Set" : undefined;
  if (types.isDate(value)) return isDirect(value, "Date") ? "Date" : undefined;
  if (types.isRegExp(value)) return isDirect(value, "RegExp") ? "RegExp" : undefined;
  return Object.getPrototypeOf(value) === URL.prototype && isGenuineUrl(value) ? "URL" : undefined;
}

/** An object that only borrows the prototype throws when it is read. */
function isGenuineUrl(value: object): boolean {
  try {
    return typeof (value as URL).href === "string";
  } catch {
    return false;
  }
}

/** Own properties that every instance has: `lastIndex` of a RegExp, some runtimes' private symbols of a URL. */
export function ownKeyCount(tag: BuiltInTag): number {
  if (tag === "RegExp") return 1;
  return tag === "URL" ? URL_KEYS : 0;
}

const URL_KEYS = Reflect.ownKeys(new URL("about:blank")).length;
