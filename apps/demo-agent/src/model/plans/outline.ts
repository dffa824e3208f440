import { finish, numberField, type Plan, textField } from "./decision.js";

const REQUEST = /^outline\s+(\S+)/i;
const LINES_PER_READ = 40;
const MAX_READS = 8;
const HEADING =
  /^(?:#{1,4} .+|export (?:async )?(?:abstract )?(?:function|class|interface|type|const|enum) \w+.*)$/;

/** `Outline <path>`: reads a file piece by piece, counts it, notes its headings and exports, and ends. */
export const outline: Plan = {
  matches: (request) => REQUEST.test(request),
  next: ({ request, exchanges }) => {
    const path = REQUEST.exec(request)![1]!;
    const failure = exchanges.find((exchange) => exchange.failed);
    if (failure !== undefined)
      return finish(`${path} could not be read: ${String(failure.output).slice(0, 300)}`);
    const reads = exchanges.filter((exchange) => exchange.tool === "read_file");
    const last = reads.at(-1);
    const nextLine = last === undefined ? 1 : numberField(last.output, "nextLine");
    if (nextLine > 0 && reads.length < MAX_READS) {
      return { tool: "read_file", input: { path, fromLine: nextLine, lines: LINES_PER_READ } };
    }
    const counted = exchanges.find((exchange) => exchange.tool === "count");
    if (counted === undefined) return { tool: "count", input: { path } };
    const headings = reads
      .flatMap((read) => textField(read.output, "text").split("\n"))
      .filter((line) => HEADING.test(line))
      .map((line) => line.replace(/\s*[{=].*$/, ""));
    const size = `${numberField(counted.output, "lines")} lines, ${numberField(counted.output, "words")} words`;
    const note = exchanges.find((exchange) => exchange.tool === "write_note");
    if (note === undefined) {
      const text = [
        `${path}: ${size}.`,
        "",
        ...headings.slice(0, 80).map((heading) => `- \`${heading}\``),
      ].join("\n");
      return { tool: "write_note", input: { title: `Outline of ${path}`, text } };
    }
    return finish(`${path}: ${size}, ${headings.length} headings or exports.`, [
      textField(note.output, "note"),
    ]);
  },
};
