/** Agent ids, checkpoint names and keys that are more than they seem. */
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DiskStore } from "@ckpt/disk";
import { isCkptError } from "@ckpt/errors";
import { ResilientCheckpointManager } from "@ckpt/resilient";
import { fingerprint, type HostileResult, polluted } from "./verdict.js";

/** Groups whose members must stay apart from each other. */
const IDS: readonly (readonly string[])[] = [
  ["..", "."],
  ["../../escape", "/etc/escape", "a/b", "a\\b", "a/../b"],
  ["CON", "con", "NUL", "aux.txt", "COM1"],
  ["Agent", "agent", "AGENT"],
  ["é", "e\u0301"],
  ["ﬁ", "fi"],
  ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"],
  ["a.lock", "lock", "1.lease", ".ckpt-0.tmp", "-rf", "~", "$(touch polluted)", "%2e%2e", "%", "a%62"],
  [" ", "a ", "a", "a."],
  ["x".repeat(200), "\u4e16".repeat(66), "x".repeat(199)],
];
/** What no encoding makes harmless. */
const REFUSED: readonly string[] = [
  "",
  "\0",
  "a\0b",
  "x".repeat(300),
  "\u4e16".repeat(100),
  "a\nb",
  "\u202eevil",
  "\ud800",
  "\u007f",
];

type State = Record<string, unknown>;

async function save(directory: string, agentId: string, name: string, state: State): Promise<string> {
  const manager = new ResilientCheckpointManager<State>(agentId, { directory, collect: () => state });
  try {
    return (await manager.createCheckpoint(name, { polluted: "metadata", [name]: name })).id;
  } finally {
    await manager.close();
  }
}

/** A state whose keys are those of prototypes. */
const stateOf = (agentId: string): State =>
  JSON.parse(
    `{"agent":${JSON.stringify(agentId)},"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"list":[{"__proto__":[]}]}`,
  ) as State;

async function together(directory: string, ids: readonly string[]): Promise<string | undefined> {
  for (const agentId of ids) await save(directory, agentId, agentId, stateOf(agentId));
  const store = new DiskStore(directory);
  try {
    const known = await store.agents();
    for (const agentId of ids) {
      if (!known.includes(agentId)) return "the agent is not listed";
      const [header, more] = await store.list(agentId);
      if (header === undefined || more !== undefined) return "it does not have one checkpoint of its own";
      if (header.name !== agentId) return "the checkpoint has another name";
      const value = (await store.load(agentId, header.id)).toValue<State>();
      if (JSON.stringify(value) !== JSON.stringify(stateOf(agentId))) return "another state came back";
      if (Object.getPrototypeOf(value) !== Object.prototype) return "the state has another prototype";
    }
    return undefined;
  } finally {
    await store.close();
  }
}

/** Saves under every id and looks at what is there, and at what should not be. */
export async function hostileIds(directory: () => Promise<string>): Promise<HostileResult[]> {
  const results: HostileResult[] = [];
  for (const ids of IDS) {
    const store = `${await directory()}/inner/store`;
    let failure = await together(store, ids).catch((error: unknown) => `it threw ${String(error)}`);
    const beside = await readdir(dirname(store));
    if (beside.length !== 1) failure ??= `files were written beside the store: ${beside.join(", ")}`;
    failure ??= polluted();
    for (const id of ids) results.push({ input: `id ${JSON.stringify(id.slice(0, 40))}`, failure });
  }
  for (const id of REFUSED) {
    const place = await directory();
    const before = await fingerprint(place);
    for (const [what, attempt] of [
      ["agent id", () => save(`${place}/store`, id, "routine", { a: 1 })],
      ["checkpoint name", () => save(`${place}/store`, "agent", id, { a: 1 })],
    ] as const) {
      let failure: string | undefined = "it was accepted";
      try {
        await attempt();
      } catch (error) {
        failure = isCkptError(error, "CKPT_INVALID_ID") ? undefined : `it threw ${String(error)}`;
      }
      if (what === "agent id" && (await fingerprint(place)) !== before) failure ??= "files were written";
      results.push({ input: `${what} ${JSON.stringify(id.slice(0, 40))}`, failure });
    }
  }
  return results;
}
