import type { Line } from "../shared/protocol.js";
import type { KillMoment } from "./kill-plan.js";

const TYPICAL_WORK_MS = 40;
const TYPICAL_SAVE_MS = 2;

/** Waits for the planned moment in the life of one process, then kills it. */
export class Executioner {
  readonly #moment: KillMoment;
  readonly #kill: () => void;
  #begun = 0;
  #timer: NodeJS.Timeout | undefined;
  #workMs = TYPICAL_WORK_MS;
  #begunAt = 0;

  constructor(moment: KillMoment, kill: () => void) {
    this.#moment = moment;
    this.#kill = kill;
  }

  /** Told every line of the process. */
  see(line: Line): void {
    if (line.type === "begun") {
      this.#begun += 1;
      this.#begunAt = performance.now();
      if (this.#due && this.#moment.phase === "working") this.#arm(this.#moment.fraction * this.#workMs);
    } else if (line.type === "saving") {
      this.#workMs = (this.#workMs + performance.now() - this.#begunAt) / 2;
      if (this.#due && this.#moment.phase === "saving") this.#arm(this.#moment.fraction * TYPICAL_SAVE_MS);
    }
  }

  /** The process is gone, one way or the other. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  get #due(): boolean {
    return this.#begun > this.#moment.afterSteps && this.#timer === undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(this.#kill, delayMs);
  }
}
