import type { Json } from "./checkpoint-header.js";
import { freezeJson, type Metadata } from "./metadata.js";
import { TAG } from "./node.js";

/** Tag of metadata that is not an object. */
const WRAPPED = "metadata";

/**
 * Metadata from a text, as a header can hold it. The reference allows any JSON value there, Python's `NaN` and long integers
 * included: what a header's plain JSON has no form for becomes the tagged node that a state would have for it (`{ "$ckpt": "number", "v":
 * "NaN" }`, `{ "$ckpt": "bigint", "v": "…" }`), and what is not an object is wrapped (`{ "$ckpt": "metadata", "v": […] }`).
 */
export function metadataFromText(value: unknown): Metadata {
  const json = freezeJson(toJson(value), "metadata");
  return isObject(json) ? json : Object.freeze({ [TAG]: WRAPPED, v: json });
}

/** What the text has to say for a header's metadata, with tagged nodes still in it. */
export function metadataToText(metadata: Metadata): Json {
  const { [TAG]: tag, v } = metadata;
  const isWrapped = tag === WRAPPED && v !== undefined && Object.keys(metadata).length === 2;
  // An object is never wrapped when it comes in: one that looks so is the caller's own.
  return isWrapped && !isObject(v) ? v : metadata;
}

function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return { [TAG]: "bigint", v: String(value) };
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return { [TAG]: "number", v: Object.is(value, -0) ? "-0" : String(value) };
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

function isObject(value: Json): value is Metadata {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
