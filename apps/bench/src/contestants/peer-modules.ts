import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PEERS } from "../paths.js";

const load = createRequire(join(PEERS, "package.json"));

/** Installs the peers into `apps/bench/peers/node_modules` on first use; what cannot be installed is reported as absent. */
export function installPeers(): void {
  if (existsSync(join(PEERS, "node_modules", ".package-lock.json"))) return;
  console.error("> installing the peers to compare with (once; some are compiled: about a minute)");
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--legacy-peer-deps"];
  const { status } = spawnSync("npm", args, {
    cwd: PEERS,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: 600_000,
  });
  if (status !== 0)
    console.error("  npm install did not finish; peers that are missing are reported as absent");
}

/** The versions of the peers that are installed. */
export function peerVersions(): Record<string, string> {
  const listed = JSON.parse(readFileSync(join(PEERS, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  const names = Object.keys({ ...listed.dependencies, ...listed.optionalDependencies });
  const versions: Record<string, string> = {};
  for (const name of names) {
    const file = join(PEERS, "node_modules", name, "package.json");
    if (existsSync(file))
      versions[name] = (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  }
  return versions;
}

/** A module of the peers' own installation. The shapes are the callers' to know. */
export function peer<T>(name: string): T {
  return load(name) as T;
}
