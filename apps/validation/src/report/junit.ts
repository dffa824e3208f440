import type { Result } from "./summary.js";
import { xmlText } from "./xml-text.js";

/** JUnit XML, one test case per scenario. */
export function junit(results: readonly Result[]): string {
  const cases = results.map(({ scenario, outcome, ms }) => {
    const inner =
      outcome.status === "failed"
        ? `<failure message="${xmlText(outcome.failures[0] ?? "lost, wrong or silent")}">${xmlText(outcome.failures.join("\n"))}</failure>`
        : outcome.status === "not run"
          ? `<skipped message="${xmlText(outcome.reason ?? "")}"/>`
          : "";
    return `  <testcase classname="validation" name="${xmlText(scenario.name)}" time="${(ms / 1000).toFixed(3)}">${inner}</testcase>`;
  });
  const failed = results.filter((r) => r.outcome.status === "failed").length;
  const skipped = results.filter((r) => r.outcome.status === "not run").length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="@ckpt validation" tests="${results.length}" failures="${failed}" skipped="${skipped}">\n${cases.join("\n")}\n</testsuite>\n`;
}
