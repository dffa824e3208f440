/** Symbolic links planted where the store creates or replaces files; and what modes files get. */
import { mkdir, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { exists, fingerprint, type HostileResult, onlyTyped } from "./verdict.js";

const entry = (sequence: number) => ({
  op: "put" as const,
  header: {
    id: `a:${sequence}`,
    agentId: "a",
    sequence,
    name: "routine",
    timestamp: new Date(0).toISOString(),
    parentId: null,
    metadata: {},
    schemaVersion: null,
  },
  snapshot: snapshot({ sequence, text: "x".repeat(3000) }),
});

/** Saves, removes and compacts, so that every kind of file is created. */
async function useStore(directory: string, first: number): Promise<string | undefined> {
  const store = new DiskStore(directory, { segmentBytes: 8192 });
  let failure: string | undefined;
  const attempt = async (what: string, call: () => Promise<unknown>) => {
    failure ??= await onlyTyped(what, call);
  };
  await attempt("list", () => store.list("a"));
  await attempt("acquire", () => store.acquire("a"));
  for (let n = first; n < first + 6; n += 1) await attempt("commit", () => store.commit([entry(n)]));
  await attempt("remove", () =>
    store.commit([{ op: "remove", agentId: "a", ids: [`a:${first}`], reason: "" }]),
  );
  await attempt("compact", () => store.compact());
  await attempt("repair", () => store.repair());
  await attempt("verify", async () => {
    for await (const _ of store.verify());
  });
  await attempt("close", () => store.close());
  return failure;
}

/** Paths of one earlier life of a store, by what they are for. */
async function places(store: string): Promise<[what: string, path: string][]> {
  const found: [string, string][] = [
    "writers",
    "heads",
    "agents",
    "manifests",
    "maintenance",
    "quarantine",
  ].map((name) => [`${name}/`, join(store, name)]);
  found.push(["FORMAT", join(store, "FORMAT")]);
  for (const name of ["lock", "1.lease", "2.lease", "2.released"])
    found.push(
      [`agents/a/${name}`, join(store, "agents/a.a", name)],
      [`maintenance/${name}`, join(store, "maintenance", name)],
    );
  found.push(["an agent's directory", join(store, "agents/a.a")]);
  found.push(["the next manifest", join(store, "manifests/00000002.json")]);
  for (const writer of await readdir(join(store, "writers"))) {
    found.push(["a writer's directory", join(store, "writers", writer)]);
    found.push(["recorded heads", join(store, "heads", `${writer}.json`)]);
    for (const name of [
      "lock",
      "1.lease",
      "reserve",
      "00000001.hint",
      "00000001.seg",
      "00000099.seg",
      "00000099.hint",
    ])
      found.push([`a writer's ${name}`, join(store, "writers", writer, name)]);
  }
  return found;
}

/** Puts a link at the path, to a file or directory outside, and uses the store: nothing outside may change. */
async function planted(root: string, at: number, isDangling: boolean): Promise<HostileResult | undefined> {
  const [store, outside] = [join(root, "store"), join(root, "outside")];
  const before = await useStore(store, 1);
  if (before !== undefined) return { input: "a store without links", failure: before };
  const place = (await places(store))[at];
  if (place === undefined) return undefined;
  const [what, path] = place;
  await mkdir(outside);
  const target = join(outside, "target");
  const isDirectory = (await exists(path)) ? (await stat(path)).isDirectory() : false;
  if (!isDangling) {
    if (await exists(path)) await rename(path, target);
    else await writeFile(target, "someone else's");
  }
  await rm(path, { recursive: true, force: true });
  await symlink(target, path);
  const untouched = await fingerprint(outside);
  let failure = await useStore(store, 20);
  if ((await fingerprint(outside)) !== untouched) failure ??= "what the link points to was changed";
  const kind = isDangling ? "nothing" : isDirectory ? "a directory" : "a file";
  return { input: `a link to ${kind} at ${what}`, failure };
}

export async function plantedLinks(
  directory: () => Promise<string>,
  short: boolean,
): Promise<HostileResult[]> {
  const results: HostileResult[] = [];
  for (const isDangling of short ? [false] : [false, true])
    for (let at = 0; ; at += 1) {
      const result = await planted(await directory(), at, isDangling);
      if (result === undefined) break;
      results.push(result);
    }
  return results;
}

/** With a umask that takes nothing away, files are still 0600 and directories 0700. */
export async function looseUmask(directory: () => Promise<string>): Promise<HostileResult[]> {
  const store = join(await directory(), "store");
  const former = process.umask(0);
  try {
    const failure = await useStore(store, 1);
    const loose: string[] = [];
    for (const found of await readdir(store, { recursive: true, withFileTypes: true })) {
      const path = join(found.parentPath ?? found.path, found.name);
      const mode = (await stat(path)).mode & 0o777;
      if (mode !== (found.isDirectory() ? 0o700 : 0o600)) loose.push(`${path} ${mode.toString(8)}`);
    }
    const open = loose.length > 0 ? `others may use ${loose.slice(0, 3).join(", ")}` : undefined;
    return [{ input: "umask 000", failure: failure ?? open }];
  } finally {
    process.umask(former);
  }
}
