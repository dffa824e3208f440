import type { ResultRow, ScenarioResult } from "../scenario.js";
import { figure } from "./table.js";

interface Report {
  readonly machine: Record<string, unknown>;
  readonly results: readonly ScenarioResult[];
  readonly absent: readonly { readonly name: string; readonly absent: string }[];
  readonly rounds: number;
}

const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);
const COLOURS = { ours: "#2563eb", limit: "#9ca3af", peer: "#f59e0b" } as const;

/** Horizontal bars on a logarithmic axis, with the spread as a thin line. */
function chart(result: ScenarioResult): string {
  const rows = [...result.rows].sort((a, b) =>
    result.higherIsBetter ? b.median - a.median : a.median - b.median,
  );
  const positive = rows.flatMap((r) => [r.min, r.median, r.max]).filter((v) => v > 0);
  const low = Math.log10(Math.min(...positive)) - 0.3;
  const high = Math.log10(Math.max(...positive)) + 0.05;
  const x = (value: number) => 250 + (460 * (Math.log10(Math.max(value, 1e-9)) - low)) / (high - low);
  const line = (row: ResultRow, i: number) => {
    const y = 10 + i * 24;
    return `<text x="242" y="${y + 12}" text-anchor="end">${escapeHtml(row.name)}</text>
<rect x="250" y="${y}" width="${Math.max(1, x(row.median) - 250).toFixed(1)}" height="15" fill="${COLOURS[row.kind]}"/>
<line x1="${x(row.min).toFixed(1)}" x2="${x(row.max).toFixed(1)}" y1="${y + 7.5}" y2="${y + 7.5}" stroke="#111"/>
<text x="${(x(row.max) + 6).toFixed(1)}" y="${y + 12}">${figure(row.median)}${row.oursRatio === null ? "" : ` (ours ${figure(row.oursRatio)}x)`}</text>`;
  };
  return `<svg viewBox="0 0 900 ${rows.length * 24 + 20}" role="img" aria-label="${escapeHtml(result.title)}">${rows.map(line).join("")}</svg>`;
}

function section(result: ScenarioResult): string {
  const bars = result.bars
    .map(
      (b) =>
        `<li class="${b.met ? "met" : "missed"}">${b.met ? "met" : "missed"}: ${escapeHtml(b.what)}: ${figure(b.value)} (bar ${escapeHtml(b.bar)})</li>`,
    )
    .join("");
  const notes = result.notes.map((n) => `<li>${escapeHtml(n)}</li>`).join("");
  return `<section><h2>${escapeHtml(result.title)}</h2><p>${escapeHtml(result.unit)}, ${result.higherIsBetter ? "more" : "less"} is better; logarithmic; the line is the spread</p>${result.rows.length > 0 ? chart(result) : ""}<ul>${bars}${notes}</ul></section>`;
}

/** One self-contained page: no scripts, no requests. */
export function html(report: Report): string {
  const facts = Object.entries(report.machine).map(([k, v]) => `${escapeHtml(k)}: ${escapeHtml(String(v))}`);
  const absent = report.absent
    .map((a) => `<li>absent: ${escapeHtml(a.name)} (${escapeHtml(a.absent)})</li>`)
    .join("");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>@ckpt benchmark</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#111}svg{width:100%;font:12px system-ui}.missed{color:#b91c1c}.met{color:#15803d}</style>
<h1>@ckpt benchmark</h1><p>${facts.join(" · ")} · ${report.rounds} rounds, medians</p>
<p>Blue: @ckpt. Grey: what the disk or the language allows. Amber: peers, each with the durability that it really has.</p>
${report.results.map(section).join("\n")}<ul>${absent}</ul></html>\n`;
}
