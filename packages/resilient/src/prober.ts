interface ProberSettings {
  readonly minProbeDelayMs: number;
  readonly maxProbeDelayMs: number;
}

/** Runs a probe again and again, with growing pauses, until it says that all is well. Idle, it has no timer. */
export class Prober {
  readonly #settings: ProberSettings;
  readonly #probe: () => Promise<boolean>;
  #delayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** Something happened while a probe was running, which may have missed it. */
  #isDue = false;
  #stopped = false;

  constructor(settings: ProberSettings, probe: () => Promise<boolean>) {
    this.#settings = settings;
    this.#probe = probe;
    this.#delayMs = settings.minProbeDelayMs;
  }

  /** Sees to it that a probe runs before long. */
  wake(): void {
    this.#isDue = true;
    if (this.#timer !== undefined || this.#running !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#run();
    }, this.#delayMs);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#isDue = false;
    const well = await this.#probe().catch(() => false);
    this.#running = undefined;
    this.#delayMs = well
      ? this.#settings.minProbeDelayMs
      : Math.min(this.#delayMs * 2, this.#settings.maxProbeDelayMs);
    if (!well || this.#isDue) this.wake();
  }

  /** No more probes; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }
}
