import type { Line } from "../shared/protocol.js";

const REDRAW_MS = 80;
const PLAIN_EVERY_STEPS = 25;

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/**
 * Where the run stands: one line that is drawn over itself on a terminal, a plain line now and then elsewhere. Events are
 * printed above it.
 */
export class StatusLine {
  readonly #status: Output;
  readonly #events: Output;
  readonly #live: boolean;
  readonly #startedAt = performance.now();
  #text = "";
  #drawnAt = 0;
  #steps = 0;
  #kills = 0;

  /** `status` gets the live line, `events` the lines that stay. */
  constructor(status: Output, events: Output) {
    this.#status = status;
    this.#events = events;
    this.#live = status.isTTY === true;
  }

  see(line: Line): void {
    if (line.type !== "step") return;
    this.#steps += 1;
    const tasks = `${line.tasksDone} tasks done, ${line.tasksWaiting} to go`;
    const saved = `saved in ${line.saveMs.toFixed(1)} ms`;
    this.#text = `step ${line.step} | ${tasks} | ${line.tool} | ${saved} | ${this.#kills} kills | ${line.task}`;
    if (this.#live) this.#draw();
    else if (this.#steps % PLAIN_EVERY_STEPS === 0) this.#status.write(`${this.#clock()} ${this.#text}\n`);
  }

  /** Prints a line that stays. */
  event(text: string): void {
    this.#erase();
    this.#events.write(`${this.#clock()} ${text}\n`);
    if (this.#live && this.#text !== "") this.#draw(true);
  }

  countKill(): void {
    this.#kills += 1;
  }

  /** Takes the live line away. */
  end(): void {
    this.#erase();
    this.#text = "";
  }

  #draw(now = false): void {
    if (!now && performance.now() - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = performance.now();
    const width = (this.#status.columns ?? 80) - 1;
    this.#status.write(`\r\u001b[K${`${this.#clock()} ${this.#text}`.slice(0, width)}`);
  }

  #erase(): void {
    if (this.#live && this.#text !== "") this.#status.write("\r\u001b[K");
  }

  #clock(): string {
    return `${((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(5)}s`;
  }
}
