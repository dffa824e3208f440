import { execFileSync, spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { percentile } from "../measure.js";
import { bar, type Scenario } from "../scenario.js";
import { directoryBytes } from "./thousand-turns.js";

const root = join(fileURLToPath(new URL(".", import.meta.url)), "..", "..", "..");
const PACKED = ["errors", "core", "io", "disk", "retention", "drift", "resilient"];

/** Wall time of a fresh Node with the given source. */
function startMs(cwd: string, source: string): number {
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    cwd,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return Number(process.hrtime.bigint() - started) / 1e6;
}

async function packageCount(directory: string): Promise<number> {
  let count = 0;
  for (const name of await readdir(directory)) {
    if (name.startsWith(".")) continue;
    count += name.startsWith("@") ? (await readdir(join(directory, name))).length : 1;
  }
  return count;
}

/** What `npm install @ckpt/resilient` puts on a disk, and what importing it costs over Node's own start. */
export const install: Scenario = {
  name: "install",
  title: "installed size, packages and import time of @ckpt/resilient",
  async run(run) {
    const directory = await run.directory();
    run.progress("install: packing and installing");
    const { packageManager } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      packageManager: string;
    };
    for (const name of PACKED)
      execFileSync(
        "npx",
        ["--yes", "--prefer-offline", packageManager, "pack", "--pack-destination", directory],
        {
          cwd: join(root, "packages", name),
          stdio: "ignore",
        },
      );
    const tarballs = (await readdir(directory)).filter((f) => f.endsWith(".tgz"));
    const dependencies = Object.fromEntries(
      tarballs.map((f) => [`@ckpt/${f.split("-")[1]}`, `file:${join(directory, f)}`]),
    );
    const project = await run.directory();
    await writeFile(
      join(project, "package.json"),
      JSON.stringify({ name: "empty", private: true, dependencies }),
    );
    execFileSync("npm", ["install", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: project,
      stdio: "ignore",
    });
    const bytes = await directoryBytes(join(project, "node_modules"));
    const packages = await packageCount(join(project, "node_modules"));
    const times = { bare: [] as number[], ours: [] as number[], zod: [] as number[] };
    for (let i = 0; i < (run.quick ? 7 : 21); i += 1) {
      times.bare.push(startMs(project, ""));
      times.ours.push(startMs(project, 'await import("@ckpt/resilient")'));
      times.zod.push(startMs(project, 'await import("zod")'));
    }
    const bareMs = percentile(times.bare, 0.5);
    const importMs = percentile(times.ours, 0.5) - bareMs;
    const zodMs = percentile(times.zod, 0.5) - bareMs;
    return {
      name: "install",
      title: install.title,
      unit: "",
      higherIsBetter: false,
      rows: [],
      bars: [
        bar("installed size", bytes / 1e6, "≤", 12, " MB"),
        bar("packages", packages, "≤", 16, ""),
        bar("import over Node's own start", importMs, "≤", 60, " ms"),
      ],
      notes: [
        `Node's own start: ${bareMs.toFixed(1)} ms; zod alone, which is loaded on first use: ${zodMs.toFixed(1)} ms over it`,
      ],
    };
  },
};
