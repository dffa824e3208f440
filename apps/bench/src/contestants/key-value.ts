import { join } from "node:path";
import type { Contestant } from "../contestant.js";
import type { AgentState } from "../states.js";
import { peer } from "./peer-modules.js";

interface LmdbDatabase {
  put(key: string, value: unknown): Promise<boolean>;
  get(key: string): unknown;
  readonly flushed: Promise<boolean>;
  close(): Promise<void>;
}

/** lmdb-js with shared record structures; a save waits for the flush, so that it survives a power cut. */
export const lmdb: Contestant = {
  name: "lmdb, flushed",
  durability: "power cut",
  kind: "peer",
  async open(directory) {
    const { open } = peer<{ open(options: object): LmdbDatabase }>("lmdb");
    const db = open({
      path: join(directory, "lmdb"),
      sharedStructuresKey: Symbol.for("structures"),
      mapSize: 8 * 2 ** 30,
    });
    return {
      async save(agent, state, turn) {
        void db.put(`${agent}:latest`, turn);
        await db.put(`${agent}:${turn}`, state);
        await db.flushed;
      },
      latest: async (agent) => db.get(`${agent}:${db.get(`${agent}:latest`)}`),
      close: () => db.close(),
    };
  },
};

interface LevelDatabase {
  open(): Promise<void>;
  batch(operations: object[], options: object): Promise<void>;
  get(key: string): Promise<unknown>;
  close(): Promise<void>;
}

export const level: Contestant = {
  name: "classic-level, sync",
  durability: "power cut",
  kind: "peer",
  async open(directory) {
    const { ClassicLevel } = peer<{ ClassicLevel: new (path: string, options: object) => LevelDatabase }>(
      "classic-level",
    );
    const db = new ClassicLevel(join(directory, "level"), { valueEncoding: "json" });
    await db.open();
    const put = (key: string, value: unknown) => ({ type: "put", key, value });
    return {
      save: (agent, state, turn) =>
        db.batch([put(`${agent}:${turn}`, state), put(`${agent}:latest`, turn)], { sync: true }),
      latest: async (agent) => db.get(`${agent}:${await db.get(`${agent}:latest`)}`),
      close: () => db.close(),
    };
  },
};

type WriteFile = (path: string, data: string) => Promise<void>;

const wholeFile = (name: string, load: () => WriteFile): Contestant => ({
  name,
  durability: "process crash",
  kind: "peer",
  async open(directory) {
    const writeFile = load();
    const { readFile } = await import("node:fs/promises");
    return {
      save: (agent: string, state: AgentState, turn: number) =>
        writeFile(join(directory, `${agent}-${turn % 1000}.json`), JSON.stringify(state)),
      latest: async () => JSON.parse(await readFile(join(directory, "agent-3-0.json"), "utf8")),
      close: async () => undefined,
    };
  },
});

/** Syncs the file but not the directory: after a power cut the new name may be missing. */
export const writeFileAtomic = wholeFile("write-file-atomic", () => peer<WriteFile>("write-file-atomic"));
export const atomically = wholeFile(
  "atomically",
  () => peer<{ writeFile: WriteFile }>("atomically").writeFile,
);
