/** One measured figure beside its bar. */
export interface Figure {
  readonly what: string;
  readonly reached: string;
  readonly bar: string;
  /** Whether the bar is met; undefined where there is none. */
  readonly met?: boolean;
}

/** The figures of one row of bars, with its baselines and everything needed to score again. */
export interface Section {
  readonly id: number;
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Simple baselines: name and figures. */
  readonly baselines: readonly (readonly string[])[];
  readonly notes?: readonly string[];
  /** Raw scores per stream or run. */
  readonly raw: unknown;
}

/** A figure with its bar as a comparison. */
export function compare(what: string, value: number, sign: "<=" | ">=", bar: number, show = plain): Figure {
  const met = sign === "<=" ? value <= bar : value >= bar;
  return { what, reached: show(value), bar: `${sign} ${show(bar)}`, met };
}

export const plain = (x: number): string =>
  Number.isInteger(x) ? String(x) : x.toFixed(Math.abs(x) < 10 ? 2 : 1);
export const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

/** The section as lines for a terminal. */
export function print(section: Section): string {
  const rows = section.figures.map((f) => [
    f.met === undefined ? " " : f.met ? "ok" : "MISSED",
    f.what,
    f.reached,
    f.bar,
  ]);
  const lines = [``, `${section.id}. ${section.title}`, ...table([["", "what", "reached", "bar"], ...rows])];
  if (section.baselines.length > 0) lines.push("   baselines", ...table(section.baselines));
  for (const note of section.notes ?? []) lines.push(`   ${note}`);
  return lines.join("\n");
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) => `   ${row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")}`.trimEnd());
}
