import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Line, type Orders } from "../shared/protocol.js";

/** How the agent's process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
}

const MAX_STDERR = 8_000;

/** The agent, as a process that can be killed. */
export class AgentChild {
  readonly #child: ChildProcess;
  /** Resolves when the process is gone and every line that it wrote was handed on. */
  readonly ended: Promise<Ending>;

  constructor(program: string, orders: Orders, onLine: (line: Line) => void) {
    this.#child = spawn(process.execPath, [program, JSON.stringify(orders)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    // The agent stops when its stdin ends, so it never outlives this process. Nothing is ever written there.
    stdin!.on("error", () => {});
    const lines = createInterface({ input: stdout! });
    lines.on("line", (text) => onLine(parseLine(text)));
    let tail = "";
    stderr!.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-MAX_STDERR);
    });
    const drained = new Promise<void>((resolve) => lines.once("close", resolve));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => {
        void drained.then(() => resolve({ code, signal, stderr: tail }));
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** SIGKILL: nothing in the process gets a chance to run. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Asks for a final checkpoint and an end. */
  stop(): void {
    this.#child.kill("SIGINT");
  }
}

/** The last line of a killed process may be cut off; whatever is no line is a remark. */
function parseLine(text: string): Line {
  try {
    return Line.parse(JSON.parse(text));
  } catch {
    return { type: "remark", text: `unreadable line from the agent: ${text.slice(0, 200)}` };
  }
}
