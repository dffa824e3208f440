import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { DEFECTS } from "./broken-stores/defects.js";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly status: string;
    }[];
  }[];
}

/** Failed tests of the store suite, by defect. */
async function failures(): Promise<Map<string, number>> {
  const config = join(here, "broken-stores", "vitest.config.ts");
  // The groups that take long add nothing here: every defect shows in the others.
  const groups =
    "basics|ordering|atomic|conflicts|isolation|events|leases|closed|aborted|hostile|removes what|takes the id of";
  const args = [
    vitest,
    "run",
    "--root",
    root,
    "--config",
    config,
    "--reporter=json",
    "--maxWorkers=1",
    "-t",
    groups,
  ];
  const run = promisify(execFile)(process.execPath, args, {
    maxBuffer: 1 << 28,
    env: { ...process.env, NO_COLOR: "1" },
  });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const report = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Report;
  const failed = new Map<string, number>();
  for (const { ancestorTitles, status } of report.testResults.flatMap((file) => file.assertionResults)) {
    const [suite = ""] = ancestorTitles;
    const name = suite.replace(": the store port", "");
    failed.set(name, (failed.get(name) ?? 0) + (status === "failed" ? 1 : 0));
  }
  return failed;
}

describe("the store suite", () => {
  let failed: Map<string, number>;
  beforeAll(async () => {
    failed = await failures();
  }, 300_000);

  for (const name of Object.keys(DEFECTS)) {
    it(name === "nothing wrong" ? "passes a healthy store" : `catches a store that ${name}`, () => {
      if (name === "nothing wrong") expect(failed.get(name)).toBe(0);
      else expect(failed.get(name)).toBeGreaterThan(0);
    });
  }
});
