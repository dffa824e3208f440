/** What JSON writes behind the backslash, for each character code that it escapes by a letter or by itself; 0 for the others. */
export const ESCAPE_LETTERS = new Uint8Array(256);
for (const [character, letter] of ['""', "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt"]) {
  ESCAPE_LETTERS[character!.charCodeAt(0)] = letter!.charCodeAt(0);
}

/** How much longer what has no letter becomes: `\u001b`. */
export const HEX_ESCAPE_GROWTH = 5;
