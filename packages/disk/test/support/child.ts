import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { afterEach } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);
// Below @ckpt/io, so that the program finds the optional fs-native-extensions; per test process, so that none collide.
const io = path.dirname(require.resolve("@ckpt/io/package.json"));
const outDir = path.join(io, "node_modules/.cache/ckpt-disk-test", String(process.pid));
const fromSource = process.env.CKPT_TEST_BUILT !== "1";

let building: Promise<string> | undefined;

/** Bundles the saver once, from the sources or from what is published, as the tests themselves run. */
function program(): Promise<string> {
  building ??= (async () => {
    await mkdir(outDir, { recursive: true });
    await build({
      entry: [path.join(here, "saver.ts")],
      outDir,
      format: ["cjs"],
      target: "node20",
      silent: true,
      config: false,
      dts: false,
      noExternal: [/^@ckpt\//],
      external: ["fs-native-extensions", "fs-extra", "async-retry", "zod"],
      esbuildOptions: (options) => {
        if (fromSource) options.conditions = ["@ckpt/source", "module"];
      },
    });
    return path.join(outDir, "saver.cjs");
  })();
  return building;
}

/** A process of its own that saves or holds. */
export class Saver {
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  #waiting: (() => void) | undefined;
  #hasExited = false;

  constructor(process: ChildProcess) {
    this.#process = process;
    createInterface({ input: process.stdout! }).on("line", (line) => {
      this.lines.push(line);
      this.#waiting?.();
    });
    this.exited = new Promise((resolve) => process.once("close", resolve));
    void this.exited.then(() => {
      this.#hasExited = true;
      this.#waiting?.();
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Waits until `count` lines begin so; rejects when the process ends before. */
  async seen(start: string, count = 1): Promise<void> {
    while (this.lines.filter((line) => line.startsWith(start)).length < count) {
      if (this.#hasExited)
        throw new Error(`the saver ended before '${start}': ${this.lines.slice(-5).join(" | ")}`);
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#process.kill(signal);
    if (signal === "SIGKILL") await this.exited;
  }
}

const savers: Saver[] = [];

afterEach(async () => {
  for (const saver of savers.splice(0)) await saver.kill();
});

export async function startSaver(
  mode: "save" | "hold",
  directory: string,
  ...agents: string[]
): Promise<Saver> {
  const args = [await program(), mode, directory, ...agents];
  const saver = new Saver(spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }));
  savers.push(saver);
  return saver;
}
