import { finish, listField, numberField, type Plan, textField } from "./decision.js";

const REQUEST = /^count\s+"([^"]+)"\s+in\s+(\S+)/i;
const MAX_COUNTED = 8;

/** `Count "<text>" in <path>`: lists the path, counts file by file, notes a table, and ends. */
export const countOccurrences: Plan = {
  matches: (request) => REQUEST.test(request),
  next: ({ request, exchanges }) => {
    const [, text, path] = REQUEST.exec(request)!;
    const [listed] = exchanges;
    if (listed === undefined) return { tool: "list_files", input: { path } };
    if (listed.failed) return finish(`${path} could not be listed: ${String(listed.output).slice(0, 300)}`);
    const files = listField(listed.output, "files").map((file) => textField(file, "path"));
    const counts = exchanges.filter((exchange) => exchange.tool === "count");
    const next = files.slice(0, MAX_COUNTED)[counts.length];
    if (next !== undefined) return { tool: "count", input: { path: next, text } };
    const rows = counts
      .filter((exchange) => !exchange.failed)
      .map(({ output }) => ({ path: textField(output, "path"), times: numberField(output, "occurrences") }));
    const total = rows.reduce((sum, row) => sum + row.times, 0);
    const note = exchanges.find((exchange) => exchange.tool === "write_note");
    if (note === undefined) {
      const table = rows.map((row) => `| ${row.path} | ${row.times} |`);
      const body = ["| file | times |", "|---|--:|", ...table].join("\n");
      return { tool: "write_note", input: { title: `${text} in ${path}`, text: body } };
    }
    return finish(`"${text}" occurs ${total} times in ${rows.length} files of ${path}.`, [
      textField(note.output, "note"),
    ]);
  },
};
