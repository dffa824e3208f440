const QUOTE = 34;
const BACKSLASH = 92;
const OPENING = [91, 123];
const CLOSING = [93, 125];

/**
 * Whether JSON text nests containers deeper than `levels`. Costs next to nothing where the text is short or has few brackets, as
 * nearly all have.
 */
export function nestsDeeper(text: string, levels: number): boolean {
  // A level takes two brackets; a text that is one string has none that count.
  if (text.length <= 2 * levels || text.charCodeAt(0) === QUOTE) return false;
  return brackets(text, levels) > levels && depthExceeds(text, levels);
}

/** Opening brackets, those inside of strings too; stops above `most`. */
function brackets(text: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf("["); at >= 0 && count <= most; at = text.indexOf("[", at + 1)) count++;
  for (let at = text.indexOf("{"); at >= 0 && count <= most; at = text.indexOf("{", at + 1)) count++;
  return count;
}

function depthExceeds(text: string, levels: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) i = endOfString(text, i);
    else if (OPENING.includes(unit)) {
      if (++depth > levels) return true;
    } else if (CLOSING.includes(unit)) depth--;
  }
  return false;
}

/** Where the string that begins at `start` ends: at the next quote behind an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}
