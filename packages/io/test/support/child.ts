import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { afterEach } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
// Below the package, so that the program finds the optional fs-native-extensions; per test process, so that none collide.
const outDir = join(here, "../../node_modules/.cache/ckpt-io-test", String(process.pid));
const fromSource = process.env.CKPT_TEST_BUILT !== "1";

let building: Promise<string> | undefined;

/** Bundles the child program once, from the sources or from what is published, as the tests themselves run. */
function program(): Promise<string> {
  building ??= (async () => {
    await mkdir(outDir, { recursive: true });
    await build({
      entry: [join(here, "lease-child.ts")],
      outDir,
      format: ["cjs"],
      target: "node20",
      silent: true,
      config: false,
      dts: false,
      noExternal: [/^@ckpt\//],
      external: ["fs-native-extensions", "fs-extra", "async-retry"],
      esbuildOptions: (options) => {
        if (fromSource) options.conditions = ["@ckpt/source", "module"];
      },
    });
    return createRequire(import.meta.url).resolve(join(outDir, "lease-child.cjs"));
  })();
  return building;
}

/** A child process that speaks lines. */
export class Child {
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  #waiting: (() => void) | undefined;

  constructor(process: ChildProcess) {
    this.#process = process;
    createInterface({ input: process.stdout! }).on("line", (line) => {
      this.lines.push(line);
      this.#waiting?.();
    });
    this.exited = new Promise((resolve) => process.once("close", resolve));
    void this.exited.then(() => this.#waiting?.());
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** The first line that begins so; rejects when the child ends without one. */
  async line(start: string): Promise<string> {
    let hasExited = false;
    void this.exited.then(() => {
      hasExited = true;
    });
    while (true) {
      const found = this.lines.find((line) => line.startsWith(start));
      if (found !== undefined) return found;
      if (hasExited) throw new Error(`the child ended without '${start}': ${this.lines.join(" | ")}`);
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}

const children: Child[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await child.exited;
  }
});

/** Starts the lease program; `osLocks: false` as on a machine without them. */
export async function startChild(args: readonly string[], osLocks: boolean): Promise<Child> {
  const path = await program();
  const env = { ...process.env, CKPT_NO_OS_LOCKS: osLocks ? "" : "1" };
  const child = new Child(
    spawn(process.execPath, [path, ...args], { env, stdio: ["ignore", "pipe", "inherit"] }),
  );
  children.push(child);
  return child;
}
