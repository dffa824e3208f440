import type { BytesChange, TextChange } from "./change.js";

/** A splice must spare at least so much, or the whole value is simpler. */
const WORTHWHILE = 24;
const SPLICE_WEIGHT = 18;
const STRIDE = 1_024;

/** The middle that makes `next` of `previous`; undefined when little is common. */
export function textSplice(previous: string, next: string): TextChange | undefined {
  const limit = Math.min(previous.length, next.length);
  const prefix =
    next.length >= previous.length && next.startsWith(previous) ? limit : commonPrefix(previous, next, limit);
  const suffix = commonSuffix(previous, next, limit - prefix);
  if (prefix + suffix < WORTHWHILE) return undefined;
  const text = detached(next.slice(prefix, next.length - suffix), next.length);
  return { kind: "text", weight: SPLICE_WEIGHT + text.length, prefix, suffix, text };
}

// Whole strides compare at memory speed; only the last one is looked at unit by unit.
function commonPrefix(a: string, b: string, limit: number): number {
  let i = 0;
  while (i + STRIDE <= limit && a.slice(i, i + STRIDE) === b.slice(i, i + STRIDE)) i += STRIDE;
  while (i < limit && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
}

function commonSuffix(a: string, b: string, limit: number): number {
  let i = 0;
  while (
    i + STRIDE <= limit &&
    a.slice(a.length - i - STRIDE, a.length - i) === b.slice(b.length - i - STRIDE, b.length - i)
  ) {
    i += STRIDE;
  }
  while (i < limit && a.charCodeAt(a.length - 1 - i) === b.charCodeAt(b.length - 1 - i)) i++;
  return i;
}

/** As {@link textSplice}, for bytes. `undefined` also for equal bytes is never asked: the caller compares first. */
export function bytesSplice(previous: Uint8Array, next: Uint8Array): BytesChange | undefined {
  const limit = Math.min(previous.length, next.length);
  let prefix = 0;
  while (
    prefix + STRIDE <= limit &&
    Buffer.compare(previous.subarray(prefix, prefix + STRIDE), next.subarray(prefix, prefix + STRIDE)) === 0
  ) {
    prefix += STRIDE;
  }
  while (prefix < limit && previous[prefix] === next[prefix]) prefix++;
  let suffix = 0;
  const rest = limit - prefix;
  while (suffix < rest && previous[previous.length - 1 - suffix] === next[next.length - 1 - suffix]) suffix++;
  if (prefix + suffix < WORTHWHILE) return undefined;
  const bytes = next.slice(prefix, next.length - suffix);
  return { kind: "bytes", weight: SPLICE_WEIGHT + bytes.length, prefix, suffix, bytes };
}

/** A small slice as a text of its own: it would otherwise keep the whole text alive for as long as the delta lives. */
function detached(slice: string, whole: number): string {
  return slice.length * 4 < whole ? (JSON.parse(JSON.stringify(slice)) as string) : slice;
}
