import type { Exchange } from "../transcript.js";
import { type Decision, finish, listField, numberField, type Plan, textField } from "./decision.js";

const REQUEST = /^find\s+"([^"]+)"/i;
const MAX_PLACES = 3;
const LINES_AROUND = 20;
/** Even this model gives up in the end. */
const MAX_ROUNDS = 20;

/**
 * `Find "<text>"`: searches, reads around the first places, notes them, and ends.
 *
 * Its flaw is one that real agents have: when a search finds nothing, it lists the folder, reads how it begins, and searches for the
 * same again, round and round. Only advice from a supervisor that names the text makes it take another way: look for the
 * longest word of the name instead. Anything that no other plan understands ends here too.
 */
export const find: Plan = {
  matches: () => true,
  next: (transcript) => {
    const { request, exchanges, advice } = transcript;
    const asked = REQUEST.exec(request)?.[1] ?? longestWord(request);
    const isWarned = advice.some((lesson) => lesson.includes(asked));
    const wanted = isWarned ? longestWord(asked) : asked;
    const at = exchanges.findLastIndex(
      ({ tool, output, failed }) => tool === "search" && !failed && textField(output, "text") === wanted,
    );
    if (at === -1) return { tool: "search", input: { text: wanted } };
    const found = numberField(exchanges[at]!.output, "matches") > 0;
    if (!found && !isWarned && exchanges.length < MAX_ROUNDS * 3)
      return goAround(exchanges.slice(at), wanted);
    return report(exchanges.slice(at), asked, wanted);
  },
};

/** The flaw: what it does after a search in vain, given what it has done since. */
function goAround([, listed, read]: readonly Exchange[], wanted: string): Decision {
  if (listed === undefined) return { tool: "list_files", input: { path: "." } };
  const [first] = listField(listed.output, "files");
  if (read === undefined && first !== undefined) {
    return { tool: "read_file", input: { path: textField(first, "path"), fromLine: 1, lines: LINES_AROUND } };
  }
  return { tool: "search", input: { text: wanted } };
}

/** What to do with a search's result; `since` begins with that search. */
function report(since: readonly Exchange[], asked: string, wanted: string): Decision {
  const searched = since[0]!.output;
  const matches = numberField(searched, "matches");
  const otherwise = wanted === asked ? "" : ` "${asked}" is nowhere; searched for "${wanted}" instead.`;
  if (matches === 0) return finish(`"${asked}" was not found.${otherwise}`);
  const places = listField(searched, "hits").map((hit) => ({
    path: textField(hit, "path"),
    line: numberField(hit, "line"),
    excerpt: textField(hit, "excerpt"),
  }));
  const reads = since.filter((exchange) => exchange.tool === "read_file");
  const place = places.slice(0, MAX_PLACES)[reads.length];
  if (place !== undefined) {
    const fromLine = Math.max(1, place.line - LINES_AROUND / 2);
    return { tool: "read_file", input: { path: place.path, fromLine, lines: LINES_AROUND } };
  }
  const note = since.find((exchange) => exchange.tool === "write_note");
  if (note === undefined) {
    const lines = places.map(
      ({ path, line, excerpt }) => `- ${path}:${line} \`${excerpt.replaceAll("`", "'")}\``,
    );
    return { tool: "write_note", input: { title: `Where ${asked} is used`, text: lines.join("\n") } };
  }
  return finish(`"${wanted}" is in ${matches} lines.${otherwise}`, [textField(note.output, "note")]);
}

/** The longest run of letters that a camel-case boundary or another character ends. */
function longestWord(text: string): string {
  const words = text.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [text];
  return words.reduce((longest, word) => (word.length > longest.length ? word : longest), words[0]!);
}
