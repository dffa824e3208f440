import type { ResultRow, ScenarioResult } from "../scenario.js";
import { escapeMarkup } from "./escape.js";
import { figure } from "./table.js";

const COLOURS = { ours: "#2563eb", limit: "#9ca3af", peer: "#f59e0b" } as const;
const LEFT = 250;
const ROW = 24;

/** Horizontal bars on a logarithmic axis, the best first, with the spread as a thin line: SVG that stands by itself. */
export function chart(result: ScenarioResult): string {
  const rows = [...result.rows].sort((a, b) =>
    result.higherIsBetter ? b.median - a.median : a.median - b.median,
  );
  const positive = rows.flatMap((r) => [r.min, r.median, r.max]).filter((v) => v > 0);
  const low = Math.log10(Math.min(...positive)) - 0.3;
  const high = Math.log10(Math.max(...positive)) + 0.05;
  const x = (value: number) => LEFT + (460 * (Math.log10(Math.max(value, 1e-9)) - low)) / (high - low);
  const line = (row: ResultRow, i: number) => {
    const y = 10 + i * ROW;
    return `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escapeMarkup(row.name)}</text>
<rect x="${LEFT}" y="${y}" width="${Math.max(1, x(row.median) - LEFT).toFixed(1)}" height="15" fill="${COLOURS[row.kind]}"/>
<line x1="${x(row.min).toFixed(1)}" x2="${x(row.max).toFixed(1)}" y1="${y + 7.5}" y2="${y + 7.5}" stroke="#111"/>
<text x="${(x(row.max) + 6).toFixed(1)}" y="${y + 12}">${figure(row.median)}${row.oursRatio === null ? "" : ` (ours ${figure(row.oursRatio)}x)`}</text>`;
  };
  const height = rows.length * ROW + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${escapeMarkup(result.title)}"><rect width="900" height="${height}" fill="#fff"/>
${rows.map(line).join("\n")}
</svg>`;
}
