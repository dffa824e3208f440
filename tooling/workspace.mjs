// The published packages of the workspace, in dependency order.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./steps.mjs";

export function publishedPackages(base = root) {
  const found = readdirSync(join(base, "packages"))
    .map((name) => ({ directory: join(base, "packages", name) }))
    .map((p) => ({ ...p, manifest: JSON.parse(readFileSync(join(p.directory, "package.json"), "utf8")) }))
    .filter((p) => !p.manifest.private);
  const byName = new Map(found.map((p) => [p.manifest.name, p]));
  const ordered = new Set();
  const visit = (p) => {
    for (const name of Object.keys(p.manifest.dependencies ?? {}))
      if (byName.has(name)) visit(byName.get(name));
    ordered.add(p);
  };
  for (const p of found) visit(p);
  return [...ordered];
}

/** The workspace packages that `name` needs, itself included. */
export function closure(packages, name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  const own = packages.find((p) => p.manifest.name === name);
  for (const dependency of Object.keys(own.manifest.dependencies ?? {}))
    if (packages.some((p) => p.manifest.name === dependency)) closure(packages, dependency, seen);
  return seen;
}
