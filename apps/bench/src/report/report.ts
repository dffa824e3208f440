import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import type { Absent } from "../contestant.js";
import { peerVersions } from "../contestants/peer-modules.js";
import { OURS } from "../paths.js";
import type { ScenarioResult } from "../scenario.js";
import { chart } from "./chart.js";
import { html } from "./html.js";

/** All that a run found out, with what it was found out on. */
export interface Report {
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  /** Of the packages that were measured. */
  readonly versions: Readonly<Record<string, string>>;
  readonly quick: boolean;
  readonly rounds: number;
  readonly seed: number;
  readonly absent: readonly Absent[];
  readonly results: readonly ScenarioResult[];
}

const version = (path: string): string =>
  (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;

/** This machine, and the versions of what runs on it. */
export function circumstances(): Pick<Report, "date" | "machine" | "versions"> {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      node: process.version,
      platform: `${platform()} ${release()} ${arch()}`,
      cpu: `${cpus().length} x ${cpus()[0]?.model ?? "?"}`,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    versions: {
      "@ckpt/resilient": version(OURS),
      ...peerVersions(),
    },
  };
}

/** Writes the report, as JSON and as a page, and the chart of each scenario. */
export async function keep(report: Report, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(directory, "report.html"), html(report));
  for (const result of report.results)
    if (result.rows.length > 0) await writeFile(join(directory, `${result.name}.svg`), `${chart(result)}\n`);
}
