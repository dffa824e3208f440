import type { Picture } from "../scenario.js";
import { lastLine, type Result } from "./summary.js";
import { xmlText } from "./xml-text.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 180, 60, 30];

/** A curve of the points with its axes labelled. */
function picture({ title, xLabel, yLabel, points }: Picture): string {
  const maxX = Math.max(1, ...points.map((p) => p.x));
  const maxY = Math.max(1, ...points.map((p) => p.y));
  const x = (value: number) => LEFT + ((WIDTH - LEFT - 10) * value) / maxX;
  const y = (value: number) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 10) * value) / maxY;
  const path = points
    .map((p, i) => `${i === 0 ? "M" : "L"}${x(p.x).toFixed(1)} ${y(p.y).toFixed(1)}`)
    .join("");
  return `<figure><figcaption>${xmlText(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${xmlText(title)}">
<path d="M${LEFT} 10V${HEIGHT - BOTTOM}H${WIDTH - 10}" fill="none" stroke="#999"/>
<path d="${path}" fill="none" stroke="#2563eb" stroke-width="1.5"/>
<text x="${LEFT - 6}" y="18" text-anchor="end">${maxY}</text><text x="${LEFT - 6}" y="${HEIGHT - BOTTOM}" text-anchor="end">0</text>
<text x="${WIDTH - 10}" y="${HEIGHT - 10}" text-anchor="end">${xmlText(xLabel)} (to ${maxX})</text><text x="${LEFT}" y="${HEIGHT - 10}">${xmlText(yLabel)}</text></svg></figure>`;
}

function section({ scenario, outcome, ms }: Result): string {
  const counts = Object.entries(outcome.counts).map(([name, n]) => `<td>${xmlText(name)}</td><td>${n}</td>`);
  const failures = outcome.failures.map((f) => `<li class="failed">${xmlText(f)}</li>`).join("");
  const notes = (outcome.notes ?? []).map((n) => `<li>${xmlText(n)}</li>`).join("");
  return `<section><h2>${xmlText(scenario.name)} <span class="${outcome.status.replace(" ", "-")}">${outcome.status}</span></h2>
<p>${xmlText(scenario.does)} <b>Proves:</b> ${xmlText(scenario.proves)}</p>${outcome.reason ? `<p>Not run, because ${xmlText(outcome.reason)}.</p>` : ""}
<table><tr>${counts.join("</tr><tr>")}</tr></table><p>${(ms / 1000).toFixed(1)} s</p><ul>${failures}${notes}</ul>${(outcome.pictures ?? []).map(picture).join("")}</section>`;
}

/** One self-contained page: no scripts, no requests. */
export function html(results: readonly Result[], seed: number): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>@ckpt validation</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem}svg{width:100%;font:11px system-ui}td{padding-right:1rem}.passed{color:#15803d}.failed{color:#b91c1c}.not-run{color:#92400e}h2 span{font-size:.8em}</style>
<h1>@ckpt validation</h1><p>${xmlText(lastLine(results))}</p><p>seed ${seed}, Node ${process.version}, ${process.platform}</p>
${results.map(section).join("\n")}</html>\n`;
}
