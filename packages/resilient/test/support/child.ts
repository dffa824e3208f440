import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { afterEach } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
// Beside the package's own dependencies, and per test process, so that none collide.
const outDir = join(here, "../../node_modules/.cache/ckpt-resilient-test", String(process.pid));
const fromSource = process.env.CKPT_TEST_BUILT !== "1";
let building: Promise<string> | undefined;

/** Bundles the child program once, from the sources or from what is published, as the tests themselves run. */
function program(): Promise<string> {
  building ??= (async () => {
    await mkdir(outDir, { recursive: true });
    await build({
      entry: [join(here, "agent-child.ts")],
      outDir,
      format: ["cjs"],
      target: "node20",
      silent: true,
      config: false,
      dts: false,
      noExternal: [/./],
      external: ["fs-native-extensions"],
      esbuildOptions: (options) => {
        if (fromSource) options.conditions = ["@ckpt/source", "module"];
      },
    });
    return join(outDir, "agent-child.cjs");
  })();
  return building;
}

/** An agent process that speaks lines. */
export class AgentProcess {
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #hasExited = false;

  constructor(process: ChildProcess) {
    this.#process = process;
    createInterface({ input: process.stdout! }).on("line", (line) => {
      this.lines.push(line);
      for (const watcher of this.#watchers) watcher();
    });
    this.exited = new Promise((resolve) => {
      process.once("close", (code) => {
        this.#hasExited = true;
        for (const watcher of this.#watchers) watcher();
        resolve(code);
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** The first line that begins so; rejects when the process ends without one. */
  line(start: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.lines.find((line) => line.startsWith(start));
        if (found === undefined && !this.#hasExited) return;
        this.#watchers.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`The agent ended without "${start}": ${this.lines.slice(-5).join(" | ")}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** The number in the last line that begins so; 0 without one. */
  last(start: string): number {
    const line = this.lines.findLast((text) => text.startsWith(start));
    return line === undefined ? 0 : Number(line.split(" ")[1]);
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
  }
}

const running: AgentProcess[] = [];
const directories: string[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) await child.kill();
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

/** A fresh directory, removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "ckpt-resilient-"));
  directories.push(directory);
  return directory;
}

/** Starts an agent process: `run`, `rollback`, `guarded` or `hold`, over a directory. */
export async function startAgent(args: readonly string[], options: SpawnOptions = {}): Promise<AgentProcess> {
  const child = new AgentProcess(
    spawn(process.execPath, [await program(), ...args], { ...options, stdio: ["ignore", "pipe", "inherit"] }),
  );
  running.push(child);
  return child;
}
