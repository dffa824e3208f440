import type { Image } from "./image.js";

/** One way to damage a store at rest; undefined where it does not apply. */
type Damage = (image: Map<string, Buffer>, older: Image, random: () => number) => string | undefined;

const pick = <T>(list: readonly T[], random: () => number): T | undefined =>
  list[Math.floor(random() * list.length)];
const names = (image: Image, pattern: RegExp) =>
  [...image.keys()].filter((name) => pattern.test(name) && image.get(name)?.length);
const anyFile = /\.(seg|hint|json)$/;
const segment = /\.seg$/;

function flip(image: Map<string, Buffer>, pattern: RegExp, random: () => number): string | undefined {
  const name = pick(names(image, pattern), random);
  if (name === undefined) return undefined;
  const bytes = Buffer.from(image.get(name) as Buffer);
  const at = Math.floor(random() * bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
  image.set(name, bytes);
  return `a bit of byte ${at} of ${name} flipped`;
}

const DAMAGES: readonly Damage[] = [
  (image, _older, random) => flip(image, segment, random),
  (image, _older, random) => flip(image, anyFile, random),
  (image, _older, random) => {
    const name = pick(names(image, anyFile), random);
    if (name === undefined) return undefined;
    const bytes = image.get(name) as Buffer;
    const length = Math.floor(random() * bytes.length);
    image.set(name, bytes.subarray(0, length));
    return `${name} truncated from ${bytes.length} to ${length}`;
  },
  (image, _older, random) => {
    const name = pick(names(image, segment), random);
    if (name === undefined) return undefined;
    const bytes = Buffer.from(image.get(name) as Buffer);
    const from = Math.floor((random() * bytes.length) / 512) * 512;
    bytes.fill(0, from, Math.min(bytes.length, from + 512 * (1 + Math.floor(random() * 8))));
    image.set(name, bytes);
    return `${name} zeroed from ${from}`;
  },
  (image, _older, random) => {
    const name = pick(names(image, segment), random);
    if (name === undefined) return undefined;
    const copy = name.replace(
      /(\d+)\.seg$/,
      (_all, n: string) => `${String(Number(n) + 1 + Math.floor(random() * 3)).padStart(n.length, "0")}.seg`,
    );
    if (image.has(copy)) return undefined;
    image.set(copy, image.get(name) as Buffer);
    return `${name} duplicated as ${copy}`;
  },
  (image, _older, random) => {
    const segments = names(image, segment);
    const [a, b] = [pick(segments, random), pick(segments, random)];
    if (a === undefined || b === undefined || a === b) return undefined;
    const [ofA, ofB] = [image.get(a) as Buffer, image.get(b) as Buffer];
    image.set(a, ofB);
    image.set(b, ofA);
    return `${a} and ${b} swapped`;
  },
  (image, _older, random) => {
    const name = pick(names(image, random() < 0.5 ? segment : anyFile), random);
    if (name === undefined) return undefined;
    image.delete(name);
    return `${name} deleted`;
  },
  (image, older, random) => {
    const name = pick(
      names(older, segment).filter((n) => image.has(n) && !image.get(n)?.equals(older.get(n) as Buffer)),
      random,
    );
    if (name === undefined) return undefined;
    image.set(name, older.get(name) as Buffer);
    return `${name} rolled back to an older version`;
  },
  (image, _older, random) => {
    const name = pick(names(image, segment), random);
    if (name === undefined) return undefined;
    const garbage = Buffer.from(
      Array.from({ length: 64 + Math.floor(random() * 4000) }, () => Math.floor(random() * 256)),
    );
    image.set(name, Buffer.concat([image.get(name) as Buffer, garbage]));
    return `garbage appended to ${name}`;
  },
];

/** A damaged copy of an image, and what was done to it. */
export function damaged(image: Image, older: Image, random: () => number): { image: Image; what: string } {
  for (;;) {
    const copy = new Map(image);
    const what = pick(DAMAGES, random)?.(copy, older, random);
    if (what !== undefined) return { image: copy, what };
  }
}
