import { constants } from "node:buffer";
import { ESCAPE_LETTERS, HEX_ESCAPE_GROWTH } from "./json-escapes.js";

/** The most characters that a string of this runtime can have: a text is hashed, and read back, as one string of JSON. */
export const MOST_JSON_CHARACTERS = constants.MAX_STRING_LENGTH;

/** Shorter texts fit, whatever is in them: JSON takes six characters for one at most, and two quotes. */
export const LENGTH_SURE_TO_FIT = Math.floor((MOST_JSON_CHARACTERS - 2) / 6);

/** Whether the JSON text of a text can be a string. Looks through it: ask for long ones only. */
export function hasJsonText(text: string): boolean {
  let length = text.length + 2;
  for (let i = 0; i < text.length && length <= MOST_JSON_CHARACTERS; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 256 && ESCAPE_LETTERS[unit] !== 0) length++;
    else if (unit < 0x20) length += HEX_ESCAPE_GROWTH;
    else if (unit >= 0xd800 && unit <= 0xdfff) {
      if (unit < 0xdc00 && isLow(text.charCodeAt(i + 1))) i++;
      else length += HEX_ESCAPE_GROWTH;
    }
  }
  return length <= MOST_JSON_CHARACTERS;
}

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
