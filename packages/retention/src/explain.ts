import type { RetentionDecision, RetentionPlan } from "./plan.js";
import { printable } from "./printable.js";

const CELL_MAX = 40;
const SENTENCE_MAX = 240;

// Names, ids, times and the sentences of rules of one's own come from outside.
const cell = (text: string) => printable(text, CELL_MAX);
const sentence = (text: string) => printable(text, SENTENCE_MAX);

function row({ header, action, reasons }: RetentionDecision): string[] {
  return [
    action,
    String(header.sequence),
    cell(header.id),
    cell(header.name),
    cell(header.timestamp),
    reasons.map((reason) => `${cell(reason.code)}: ${sentence(reason.message)}`).join(" "),
  ];
}

/**
 * The plan as a table for people: a summary line, then one line per checkpoint, oldest first, with the reasons. Control characters are
 * shown as escapes; names, ids and times are cut at 40 characters, each reason at 240.
 */
export function explain(plan: RetentionPlan): string {
  const decisions = [...plan.keep, ...plan.drop].sort((a, b) => a.header.sequence - b.header.sequence);
  const rows = [["action", "seq", "id", "name", "time", "why"], ...decisions.map(row)];
  const widths = [0, 1, 2, 3, 4].map((i) =>
    rows.reduce((width, cells) => Math.max(width, cells[i]!.length), 0),
  );
  const lines = rows.map((cells) =>
    cells
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const summary = `keep ${plan.keep.length}, drop ${plan.drop.length} of ${decisions.length}`;
  const suspended = plan.suspended === null ? [] : [`suspended: ${sentence(plan.suspended.message)}`];
  return [summary, ...suspended, ...lines].join("\n");
}
