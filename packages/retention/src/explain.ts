import type { RetentionDecision, RetentionPlan } from "./plan.js";

const CELL_MAX = 40;

/** Names and ids come from outside: what could steer a terminal is shown as an escape, and length is bounded. */
function cell(text: string): string {
  const shown = text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`,
  );
  return shown.length <= CELL_MAX ? shown : `${shown.slice(0, CELL_MAX - 3)}...`;
}

function row({ header, action, reasons }: RetentionDecision): string[] {
  return [
    action,
    String(header.sequence),
    cell(header.id),
    cell(header.name),
    cell(header.timestamp),
    reasons.map((reason) => `${cell(reason.code)}: ${reason.message}`).join(" "),
  ];
}

/** The plan as a table for people: a summary line, then one line per checkpoint, oldest first, with the reasons. */
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
  const suspended = plan.suspended === null ? [] : [`suspended: ${plan.suspended.message}`];
  return [summary, ...suspended, ...lines].join("\n");
}
