/** How long work goes on before others get a turn, in milliseconds. */
const SLICE_MS = 1;

/** Divides long work: asks for a turn of the event loop once a slice's time is used up. */
export class Slices {
  #began = performance.now();

  /** A promise to wait for when it is time to let others run, else undefined. */
  pause(): Promise<void> | undefined {
    if (performance.now() - this.#began < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#began = performance.now();
        resolve();
      });
    });
  }
}
