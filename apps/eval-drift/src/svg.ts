import type { Level, Verdict } from "@ckpt/drift";

/** One curve: a value per signal. */
interface Curve {
  readonly name: string;
  readonly values: readonly number[];
}

/** What a chart shows: the signal's curves above, the verdict's score and level below. */
export interface Chart {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly verdicts: readonly Verdict[];
  /** Where the trouble really began; none in a run that is well. */
  readonly change: number | undefined;
}

const WIDTH = 760;
const LEFT = 64;
const RIGHT = 16;
const SIGNAL = { top: 56, height: 150 };
const SCORE = { top: 238, height: 70 };
const HEIGHT = 372;
const COLOURS = ["#1f5fa8", "#b3541e", "#2d7d46", "#7a4a9c"];
const LEVEL_FILL: Readonly<Record<Level, string>> = {
  ok: "#e6efe6",
  warn: "#f6e3a8",
  drift: "#eba79b",
  corrupt: "#b65f9f",
};

/** Draws a chart as a self-contained SVG document. */
export function drawChart(chart: Chart): string {
  const n = chart.verdicts.length;
  const x = (i: number): number => LEFT + (i / Math.max(1, n - 1)) * (WIDTH - LEFT - RIGHT);
  const raised = chart.verdicts.findIndex((v) => v.raised && v.level === "drift");
  const evidence =
    raised < 0
      ? chart.verdicts.findLast((v) => v.evidence.length > 0)?.evidence[0]
      : chart.verdicts[raised]!.evidence[0];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="Helvetica, Arial, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 22, chart.title, 'font-size="15" font-weight="bold"'),
    ...legend(chart.curves),
    ...chart.curves.flatMap((curve, i) => drawCurve(curve, i, chart.curves, x)),
    ...drawScore(chart.verdicts, x),
    ...(chart.change === undefined ? [] : marker(x(chart.change), "change", "#555555", SIGNAL.top - 2)),
    ...(raised < 0 ? [] : marker(x(raised), `drift at ${raised}`, "#a12f1d", SIGNAL.top + 10)),
    ...wrap(evidence === undefined ? "No evidence." : `${evidence.detector}: ${evidence.message}`, 112).map(
      (line, i) => text(LEFT, 336 + 15 * i, line),
    ),
    "</svg>",
    "",
  ].join("\n");
}

function legend(curves: readonly Curve[]): string[] {
  return curves.map((curve, i) =>
    text(LEFT + i * 150, 42, curve.name, `fill="${COLOURS[i % COLOURS.length]}"`),
  );
}

/** All curves share one scale. */
function drawCurve(curve: Curve, index: number, all: readonly Curve[], x: (i: number) => number): string[] {
  const values = all.flatMap((c) => c.values);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const y = (v: number): number => SIGNAL.top + SIGNAL.height * (1 - (v - low) / (high - low || 1));
  const points = curve.values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
  const axis =
    index > 0
      ? []
      : [
          text(LEFT - 8, SIGNAL.top + 10, show(high), END),
          text(LEFT - 8, SIGNAL.top + SIGNAL.height, show(low), END),
        ];
  return [
    ...axis,
    `<polyline fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.2" points="${points}"/>`,
  ];
}

/** The level as coloured bands, the score as a curve over them. */
function drawScore(verdicts: readonly Verdict[], x: (i: number) => number): string[] {
  const parts: string[] = [];
  for (let from = 0; from < verdicts.length; ) {
    let to = from;
    while (to < verdicts.length && verdicts[to]!.level === verdicts[from]!.level) to++;
    const width = x(Math.min(to, verdicts.length - 1)) - x(from);
    parts.push(
      `<rect x="${x(from).toFixed(1)}" y="${SCORE.top}" width="${width.toFixed(1)}" height="${SCORE.height}" fill="${LEVEL_FILL[verdicts[from]!.level]}"/>`,
    );
    from = to;
  }
  const points = verdicts
    .map((v, i) => `${x(i).toFixed(1)},${(SCORE.top + SCORE.height * (1 - v.score)).toFixed(1)}`)
    .join(" ");
  return [
    ...parts,
    `<polyline fill="none" stroke="#333333" points="${points}"/>`,
    text(LEFT - 8, SCORE.top + 10, "1", END),
    text(LEFT - 8, SCORE.top + SCORE.height, "0", END),
    text(LEFT - 8, SCORE.top + 40, "score", END),
    text(LEFT, SCORE.top - 6, "level: green ok, yellow warn, red drift", 'fill="#555555" font-size="11"'),
  ];
}

const END = 'text-anchor="end" fill="#555555"';

function marker(x: number, label: string, colour: string, y: number): string[] {
  const at = x.toFixed(1);
  const bottom = SCORE.top + SCORE.height;
  return [
    `<line x1="${at}" y1="${SIGNAL.top}" x2="${at}" y2="${bottom}" stroke="${colour}" stroke-dasharray="4 3"/>`,
    text(
      x > WIDTH - 120 ? x - 4 : x + 4,
      y + 8,
      label,
      `fill="${colour}" font-size="11"${x > WIDTH - 120 ? ' text-anchor="end"' : ""}`,
    ),
  ];
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${safe}</text>`;
}

function wrap(content: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of content.split(" ")) {
    if (line.length + word.length > width) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].slice(0, 3);
}

const show = (x: number): string =>
  Number.isInteger(x) || Math.abs(x) >= 1000 ? String(Math.round(x)) : x.toPrecision(3);
