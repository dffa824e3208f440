import { createHash } from "node:crypto";
import {
  type AgentState,
  type CheckpointDraft,
  type CheckpointStore,
  CkptError,
  fromTaggedJson,
  type Json,
  MemoryStore,
  type StoreEntry,
  type StoreFinding,
  validateAgentId,
} from "@ckpt/core";
import { type FileHandle, type FileSystem, readFully, writeFully } from "@ckpt/io";

/** What a careless author would leave out. */
export interface Carelessness {
  readonly noFileSync?: boolean;
  readonly noDirectorySync?: boolean;
  readonly noParentSync?: boolean;
  readonly noChecksum?: boolean;
  readonly trustsFileAfterFailedSync?: boolean;
  readonly ignoresShortWrites?: boolean;
  readonly untypedErrors?: boolean;
}

type Line = (
  | { readonly op: "put"; readonly header: CheckpointDraft; readonly state: Json }
  | Exclude<StoreEntry, { op: "put" }>
)[];

const sumOf = (text: string) => createHash("sha256").update(text).digest("hex");

/**
 * The simplest durable store that keeps the port's promises: one file per life, one checksummed line per commit, all of it replayed into
 * memory at the start. It shows the suite and the explorers a store that is right, and, made careless, many that are wrong.
 */
export class LogStore implements CheckpointStore {
  readonly supports = Object.freeze({ durable: true, leases: false, fencing: false, maintenance: false });
  readonly #state = new MemoryStore();
  /** One commit ahead of the state. */
  #rehearsal = new MemoryStore();
  /** What callers see: the state, or, from the call of `close` on, a closed store. */
  #memory = this.#state;
  readonly #held = new Set<string>();
  #epochs = 0;
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #careless: Carelessness;
  readonly #findings: StoreFinding[] = [];
  #files = 0;
  #file: FileHandle | undefined;
  #position = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(fs: FileSystem, root: string, careless: Carelessness) {
    this.#fs = fs;
    this.#root = root;
    this.#careless = careless;
  }

  static async open(fs: FileSystem, root: string, careless: Carelessness = {}): Promise<LogStore> {
    const store = new LogStore(fs, root, careless);
    await store.#guard(() => store.#replay());
    return store;
  }

  async commit(entries: readonly StoreEntry[], options: { readonly signal?: AbortSignal } = {}) {
    const given = entries.map(structuredCopy);
    await this.#memory.commit([], options);
    const work = this.#queue.then(async () => {
      // Refusals come from a rehearsal, so that the file never holds what memory refuses.
      await this.#rehearsal.commit(given);
      const line = lineOf(given);
      try {
        await this.#guard(() => this.#append(line));
      } catch (error) {
        this.#rehearsal = await this.#copy();
        throw error;
      }
      const receipt = await this.#state.commit(given);
      return { ...receipt, durability: "durable" as const, bytesWritten: line.length };
    });
    this.#queue = work.catch(() => undefined);
    return work;
  }

  list: CheckpointStore["list"] = (...given) => this.#memory.list(...given);
  get: CheckpointStore["get"] = (...given) => this.#memory.get(...given);
  load: CheckpointStore["load"] = (...given) => this.#memory.load(...given);
  agent: CheckpointStore["agent"] = (agentId): Promise<AgentState | undefined> => this.#memory.agent(agentId);
  agents: CheckpointStore["agents"] = () => this.#memory.agents();
  acquire: CheckpointStore["acquire"] = async (agentId) => {
    await this.#memory.agents();
    validateAgentId(agentId);
    if (this.#held.has(agentId)) {
      throw new CkptError("CKPT_LOCKED", { message: "Held.", details: { holder: "this process" } });
    }
    this.#held.add(agentId);
    let released = false;
    const release = async () => {
      if (!released) this.#held.delete(agentId);
      released = true;
    };
    return { agentId, epoch: ++this.#epochs, release };
  };
  verify: CheckpointStore["verify"] = (options) => this.#memory.verify(options);
  compact: CheckpointStore["compact"] = (options) => this.#memory.compact(options);
  takeFindings: CheckpointStore["takeFindings"] = () => [
    ...this.#memory.takeFindings(),
    ...this.#findings.splice(0),
  ];

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#memory = new MemoryStore();
    void this.#memory.close();
    this.#closing = this.#queue.then(() => this.#guard(async () => this.#file?.close()));
    return this.#closing;
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (this.#careless.untypedErrors === true || cause instanceof CkptError) throw cause;
      throw new CkptError("CKPT_IO", { message: `The log store failed: ${String(cause)}`, cause });
    }
  }

  async #copy(): Promise<MemoryStore> {
    const copy = new MemoryStore();
    for (const agentId of await this.#state.agents()) {
      for (const header of await this.#state.list(agentId)) {
        await copy.commit([{ op: "put", header, snapshot: await this.#state.load(agentId, header.id) }]);
      }
      const { lastSequence } = (await this.#state.agent(agentId))!;
      const header = { ...placeholder(agentId), sequence: lastSequence };
      const last = await copy.agent(agentId);
      if (lastSequence === 0 || last?.lastSequence === lastSequence) continue;
      await copy.commit([{ op: "put", header, snapshot: fromTaggedJson(null) }]);
      await copy.commit([{ op: "remove", agentId, ids: [header.id], reason: "placeholder" }]);
    }
    return copy;
  }

  async #append(line: string): Promise<void> {
    this.#file ??= await this.#createFile();
    const bytes = new TextEncoder().encode(line);
    try {
      if (this.#careless.ignoresShortWrites === true) await this.#file.write([bytes], this.#position);
      else await writeFully(this.#file, [bytes], this.#position);
      this.#position += bytes.length;
      if (this.#careless.noFileSync !== true) await this.#file.datasync();
    } catch (error) {
      if (this.#careless.trustsFileAfterFailedSync !== true) {
        // After a failed write or sync nobody knows what the file holds: the next commit gets a file of its own.
        await this.#file.close().catch(() => undefined);
        this.#file = undefined;
      }
      throw error;
    }
  }

  async #createFile(): Promise<FileHandle> {
    const path = `${this.#root}/${String(++this.#files).padStart(6, "0")}.log`;
    const file = await this.#fs.open(path, { access: "write", create: "exclusive" });
    try {
      if (this.#careless.noDirectorySync !== true) await this.#fs.syncDirectory(this.#root);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    this.#position = 0;
    return file;
  }

  async #replay(): Promise<void> {
    await this.#fs.mkdir(this.#root, 0o700).catch((error: { code?: string }) => {
      if (error.code !== "EEXIST") throw error;
    });
    if (this.#careless.noParentSync !== true) await this.#fs.syncDirectory("/");
    for (const name of await this.#fs.readdir(this.#root)) {
      this.#files = Math.max(this.#files, Number.parseInt(name, 10));
      await this.#replayFile(`${this.#root}/${name}`);
    }
    // What was read may be in the page cache alone, left by a process that died: only what is synced may be built upon.
    await this.#fs.syncDirectory(this.#root);
    this.#rehearsal = await this.#copy();
  }

  async #replayFile(path: string): Promise<void> {
    const file = await this.#fs.open(path, { access: "readWrite" });
    try {
      await file.sync();
      const buffer = new Uint8Array((await file.stat()).size);
      const length = await readFully(file, buffer, 0, buffer.length, 0);
      for (const text of new TextDecoder().decode(buffer.subarray(0, length)).split("\n")) {
        const line = this.#parse(text);
        if (line === undefined) return;
        const entries = line.map((entry): StoreEntry => {
          if (entry.op !== "put") return entry;
          return { op: "put", header: entry.header, snapshot: fromTaggedJson(entry.state) };
        });
        // A line whose commit was reported as failed may have reached the disk after all; what followed it decides.
        await this.#state.commit(entries).catch(() => undefined);
      }
    } finally {
      await file.close();
    }
  }

  #parse(text: string): Line | undefined {
    const [sum, json = ""] = [text.slice(0, 64), text.slice(65)];
    if (this.#careless.noChecksum === true) {
      try {
        return JSON.parse(json.replaceAll("\0", "0")) as Line;
      } catch {
        return undefined;
      }
    }
    return sum === sumOf(json) ? (JSON.parse(json) as Line) : undefined;
  }
}

function lineOf(entries: readonly StoreEntry[]): string {
  const line: Line = entries.map((entry) => {
    if (entry.op !== "put") return entry;
    return { op: "put", header: entry.header, state: entry.snapshot.toTaggedJson() };
  });
  const text = JSON.stringify(line);
  return `${sumOf(text)} ${text}\n`;
}

function placeholder(agentId: string): CheckpointDraft {
  const rest = {
    name: "x",
    timestamp: new Date(0).toISOString(),
    parentId: null,
    metadata: {},
    schemaVersion: null,
  };
  return { id: "placeholder", agentId, sequence: 0, ...rest };
}

function structuredCopy(entry: StoreEntry): StoreEntry {
  if (entry.op !== "put") return structuredClone(entry);
  return { op: "put", header: structuredClone(entry.header), snapshot: entry.snapshot };
}
