import type { ScenarioResult } from "../scenario.js";

export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A scenario as plain text: ratios first. */
export function table(result: ScenarioResult): string {
  const lines = [
    `\n${result.name}: ${result.title}`,
    `  ${"ours is".padStart(9)}  ${`median ${result.unit}`.padStart(16)}  ${"min … max".padStart(20)}  name (survives)`,
  ];
  const sorted = [...result.rows].sort((a, b) =>
    result.higherIsBetter ? b.median - a.median : a.median - b.median,
  );
  for (const row of sorted) {
    const ratio = row.oursRatio === null ? "" : `${figure(row.oursRatio)}x`;
    const spread = `${figure(row.min)} … ${figure(row.max)}`;
    lines.push(
      `  ${ratio.padStart(9)}  ${figure(row.median).padStart(16)}  ${spread.padStart(20)}  ${row.name} (${row.durability})`,
    );
  }
  for (const b of result.bars)
    lines.push(`  ${b.met ? "met   " : "MISSED"}  ${b.what}: ${figure(b.value)} (bar ${b.bar})`);
  for (const note of result.notes) lines.push(`          ${note}`);
  return lines.join("\n");
}
