/**
 * A 53-bit fingerprint of a text, so that texts of any length are remembered in a few bytes. Not for adversaries: a collision makes two
 * different steps look equal. Two multiply-xorshift lanes over UTF-16 units, mixed at the end as in MurmurHash3.
 */
export function fingerprint(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return 4294967296 * (b & 0x1fffff) + (a >>> 0);
}

const MAX_TOKENS = 4096;

/** The words, numbers and signs of a text, at most 4,096 of them. */
export function tokens(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/[\p{L}_]+|\p{N}+|[^\s\p{L}\p{N}_]/gu)) {
    if (found.push(match[0]) === MAX_TOKENS) break;
  }
  return found;
}

/**
 * A 64-bit similarity hash, as 16 hex digits: similar texts differ in few bits (see `hammingDistance`). An empty text gives zeros.
 *
 * Source: M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002; on pairs of neighbouring tokens.
 */
export function simhash(text: string): string {
  const words = tokens(text);
  const votes = new Int32Array(64);
  for (let i = 0; i < words.length; i++) {
    const pair = `${words[i]} ${words[i + 1] ?? ""}`;
    const low = fingerprint(pair);
    const high = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d) ^ Math.imul(words[i]!.length + 1, 0x297a2d39);
    for (let bit = 0; bit < 32; bit++) {
      votes[bit]! += ((low >>> bit) & 1) * 2 - 1;
      votes[bit + 32]! += ((high >>> bit) & 1) * 2 - 1;
    }
  }
  let hex = "";
  for (let digit = 15; digit >= 0; digit--) {
    let value = 0;
    for (let bit = 3; bit >= 0; bit--) value = value * 2 + (votes[digit * 4 + bit]! > 0 ? 1 : 0);
    hex += value.toString(16);
  }
  return hex;
}

/** Number of differing bits (0 to 32) of two 32-bit numbers. */
export function differingBits(a: number, b: number): number {
  let x = a ^ b;
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return (Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24) | 0;
}

/** Number of differing bits of two similarity hashes of 16 hex digits. */
export function hammingDistance(a: string, b: string): number {
  const half = (s: string, i: number): number => Number.parseInt(s.slice(i, i + 8), 16);
  return differingBits(half(a, 0), half(b, 0)) + differingBits(half(a, 8), half(b, 8));
}
