/** How long work goes on before others get a turn, in milliseconds. */
const SLICE_MS = 0.5;
/** How long work that steps back rests after a slice, in milliseconds. */
const REST_MS = 4;

/** Divides long work into slices of half a millisecond, with a turn of the event loop for others after each. */
export class Slices {
  readonly #stepsBack: () => boolean;
  #began = performance.now();

  /**
   * `stepsBack`: whether the work rests now, instead of taking every turn. Taking a ninth of the time, it meets a ninth of what goes on
   * beside it, and the garbage that it leaves is collected as seldom. Default: never.
   */
  constructor(stepsBack: () => boolean = () => false) {
    this.#stepsBack = stepsBack;
  }

  /** A promise to wait for when it is time to let others run, else undefined. */
  pause(): Promise<void> | undefined {
    if (performance.now() - this.#began < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      const goOn = () => {
        this.#began = performance.now();
        resolve();
      };
      if (this.#stepsBack()) setTimeout(goOn, REST_MS);
      else setImmediate(goOn);
    });
  }
}
