/**
 * Metadata as a difference from the base's: of an operational context, mostly a few numbers change from save to save.
 * The patch form is in docs/format.md, "Commit". Pure; what comes from disk is checked.
 */
import type { Json } from "@ckpt/core";

export type Metadata = { readonly [key: string]: Json };
/** 0: equal. `f`: the whole object. `s` and `d`: keys set (`[value]`) or patched, and dropped. */
export type MetadataPatch = 0 | { readonly f: Metadata } | ObjectPatch;
interface ObjectPatch {
  readonly s?: { readonly [key: string]: readonly [Json] | ObjectPatch };
  readonly d?: readonly string[];
}

/** Below this depth objects are compared and replaced as a whole. */
const MAX_DEPTH = 16;

/** Freezes JSON that was just parsed, and that nobody else has, in depth. */
export function freezeParsed<T extends Json>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const children = value as { readonly [key: string]: Json };
  // Object.keys, as a parsed key may be named like anything that objects inherit.
  for (const key of Object.keys(value)) freezeParsed(children[key]!);
  return Object.freeze(value);
}

/** What turns `base` into `next`. */
export function diffMetadata(base: Metadata, next: Metadata): MetadataPatch {
  if (base === next) return 0;
  const patch = diffObjects(base, next, 0);
  return patch === undefined ? 0 : patch === "whole" ? { f: next } : patch;
}

/** `base` with the patch applied: a new frozen object that shares what did not change. Undefined: not a patch for this base. */
export function applyMetadata(base: Metadata, patch: unknown): Metadata | undefined {
  if (patch === 0) return base;
  if (!isObject(patch)) return undefined;
  if (Object.hasOwn(patch, "f")) return isObject(patch.f) ? freezeParsed(patch.f) : undefined;
  return patchObject(base, patch, 0);
}

function isObject(value: unknown): value is Metadata {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function equalJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

function diffObjects(base: Metadata, next: Metadata, depth: number): ObjectPatch | undefined | "whole" {
  const keys = Object.keys(next);
  const baseKeys = Object.keys(base);
  const kept = baseKeys.filter((key) => Object.hasOwn(next, key));
  // Kept keys must stand first and in the old order, or the patch would not give the order back.
  for (let i = 0; i < kept.length; i++) if (kept[i] !== keys[i]) return "whole";
  const set: [string, readonly [Json] | ObjectPatch][] = [];
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const child = i < kept.length ? diffChild(base[key]!, next[key]!, depth) : ([next[key]!] as const);
    if (child !== undefined) set.push([key, child]);
  }
  const dropped = baseKeys.filter((key) => !Object.hasOwn(next, key));
  if (set.length === 0 && dropped.length === 0) return undefined;
  return {
    ...(set.length > 0 ? { s: Object.fromEntries(set) } : {}),
    ...(dropped.length > 0 ? { d: dropped } : {}),
  };
}

function diffChild(base: Json, next: Json, depth: number): readonly [Json] | ObjectPatch | undefined {
  if (base === next) return undefined;
  if (isObject(base) && isObject(next) && depth < MAX_DEPTH) {
    const patch = diffObjects(base, next, depth + 1);
    return patch === "whole" ? [next] : patch;
  }
  return equalJson(base, next) ? undefined : [next];
}

function patchObject(
  base: Metadata,
  patch: { readonly [key: string]: unknown },
  depth: number,
): Metadata | undefined {
  if (depth > MAX_DEPTH + 1) return undefined;
  const { s = {}, d = [] } = patch;
  if (!isObject(s) || !Array.isArray(d)) return undefined;
  const entries = new Map(Object.entries(base));
  for (const key of d) if (typeof key !== "string" || !entries.delete(key)) return undefined;
  for (const [key, change] of Object.entries(s)) {
    if (Array.isArray(change)) {
      if (change.length !== 1) return undefined;
      entries.set(key, freezeParsed(change[0] as Json));
      continue;
    }
    const old = entries.get(key);
    if (!isObject(old) || !isObject(change)) return undefined;
    const next = patchObject(old, change, depth + 1);
    if (next === undefined) return undefined;
    entries.set(key, next);
  }
  return Object.freeze(Object.fromEntries(entries));
}
