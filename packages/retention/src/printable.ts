/** What could steer a terminal or turn the direction of text: control and format characters, halves of surrogates, line separators. */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

const QUOTED_MAX = 40;

function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = max - 3;
  // A character of two units is not cut in half.
  const isHalf = (text.codePointAt(end - 1) ?? 0) > 0xffff;
  return `${text.slice(0, isHalf ? end - 1 : end)}...`;
}

/** Text from outside for people: what could steer a terminal is shown as an escape, and there are at most `max` characters. */
export function printable(text: string, max: number): string {
  const shown = shorten(text, max).replace(STEERING, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return shorten(shown, max);
}

/** A name or id from outside as it stands in a sentence: in quotes, shortened, and nothing that could steer a terminal. */
export function quoted(text: string): string {
  const inner = JSON.stringify(shorten(text, QUOTED_MAX)).slice(1, -1);
  return `"${printable(inner, QUOTED_MAX)}"`;
}
