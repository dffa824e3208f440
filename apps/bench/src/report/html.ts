import type { ScenarioResult } from "../scenario.js";
import { chart } from "./chart.js";
import { escapeMarkup } from "./escape.js";
import type { Report } from "./report.js";
import { figure } from "./table.js";

function section(result: ScenarioResult): string {
  const bars = result.bars
    .map(
      (b) =>
        `<li class="${b.met ? "met" : "missed"}">${b.met ? "met" : "missed"}: ${escapeMarkup(b.what)}: ${figure(b.value)} (bar ${escapeMarkup(b.bar)})</li>`,
    )
    .join("");
  const notes = result.notes.map((n) => `<li>${escapeMarkup(n)}</li>`).join("");
  return `<section><h2>${escapeMarkup(result.title)}</h2><p>${escapeMarkup(result.unit)}, ${result.higherIsBetter ? "more" : "less"} is better; logarithmic; the line is the spread</p>${result.rows.length > 0 ? chart(result) : ""}<ul>${bars}${notes}</ul></section>`;
}

/** One self-contained page: no scripts, no requests. */
export function html(report: Report): string {
  const list = (facts: Record<string, unknown>) =>
    Object.entries(facts)
      .map(([k, v]) => escapeMarkup(`${k}: ${String(v)}`))
      .join(" · ");
  const absent = report.absent
    .map((a) => `<li>absent: ${escapeMarkup(a.name)} (${escapeMarkup(a.absent)})</li>`)
    .join("");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>@ckpt benchmark</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#111}svg{width:100%}.missed{color:#b91c1c}.met{color:#15803d}</style>
<h1>@ckpt benchmark</h1><p>${list(report.machine)} · ${report.rounds} rounds, medians</p><p>${list(report.versions)}</p>
<p>Blue: @ckpt. Grey: what the disk or the language allows. Amber: peers, each with the durability that it really has.</p>
${report.results.map(section).join("\n")}<ul>${absent}</ul></html>\n`;
}
