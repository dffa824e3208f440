import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const directory = join(fileURLToPath(new URL(".", import.meta.url)), "..", "peers");
const load = createRequire(join(directory, "package.json"));

/** Installs the peers into `apps/bench/peers/node_modules` on first use; what cannot be installed is reported as absent. */
export function installPeers(): void {
  if (existsSync(join(directory, "node_modules", ".package-lock.json"))) return;
  console.error("> installing the peers to compare with (once; some are compiled: about a minute)");
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--legacy-peer-deps"];
  const { status } = spawnSync("npm", args, {
    cwd: directory,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: 600_000,
  });
  if (status !== 0)
    console.error("  npm install did not finish; peers that are missing are reported as absent");
}

/** A module of the peers' own installation. The shapes are the callers' to know. */
export function peer<T>(name: string): T {
  return load(name) as T;
}
