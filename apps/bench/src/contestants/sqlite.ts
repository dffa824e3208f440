import { join } from "node:path";
import type { Contestant } from "../contestant.js";
import { peer } from "./peer-modules.js";

interface Statement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): { state: string } | undefined;
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** SQLite without anything above it: one row per state, as JSON text. */
export const sqlite: Contestant = {
  name: "SQLite (libsql), FULL",
  durability: "power cut",
  kind: "peer",
  async open(directory) {
    const Libsql = peer<new (path: string) => Database>("libsql");
    const db = new Libsql(join(directory, "raw.db"));
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    db.exec(
      "CREATE TABLE IF NOT EXISTS states (agent TEXT, turn INTEGER, state TEXT, PRIMARY KEY (agent, turn))",
    );
    const put = db.prepare("INSERT OR REPLACE INTO states VALUES (?, ?, ?)");
    const newest = db.prepare("SELECT state FROM states WHERE agent = ? ORDER BY turn DESC LIMIT 1");
    return {
      async save(agent, state, turn) {
        put.run(agent, turn, JSON.stringify(state));
      },
      async latest(agent) {
        const row = newest.get(agent);
        return row === undefined ? undefined : JSON.parse(row.state);
      },
      close: async () => db.close(),
    };
  },
};
