import type { JsonObject } from "../json.js";
import { JsonReader } from "../json.js";

/** A mean kept by increments: `mean += (x - mean) / n`. */
export class RunningMean {
  n = 0;
  mean = 0;

  add(x: number): void {
    this.n++;
    this.mean += (x - this.mean) / this.n;
  }

  copy(from: RunningMean): void {
    this.n = from.n;
    this.mean = from.mean;
  }

  clear(): void {
    this.n = 0;
    this.mean = 0;
  }

  toJSON(): JsonObject {
    return { n: this.n, mean: this.mean };
  }

  static fromJSON(json: unknown): RunningMean {
    const reader = new JsonReader(json, "mean");
    const mean = new RunningMean();
    mean.n = reader.integer("n");
    mean.mean = reader.number("mean");
    return mean;
  }
}
