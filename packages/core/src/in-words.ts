/** How much of a value is shown. */
const SHOWN = 64;

/** A caller's value as a message shows it, whatever it is: an object without a prototype has no text of its own. */
export function inWords(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN));
  try {
    return String(value).slice(0, SHOWN);
  } catch {
    return `a value without a text (${typeof value})`;
  }
}
