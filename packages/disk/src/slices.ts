/** How long work goes on before others get a turn, in milliseconds. */
const SLICE_MS = 0.5;
/** How long work that steps back rests after a slice, in milliseconds. */
const REST_MS = 4;

/** Divides long work: asks for a turn of the event loop once a slice's time is used up. */
export class Slices {
  readonly #stepsBack: () => boolean;
  #began = performance.now();

  /**
   * `stepsBack`: whether the work rests now, instead of taking every turn. Taking a fifth of the time, it meets a fifth of what goes on
   * beside it, and the garbage that it leaves is collected as seldom.
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
