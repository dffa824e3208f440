/** Called while a large state is written or read, after each chunk; must not throw. */
export type OnProgress = (progress: Progress) => void;

export interface Progress {
  /** Bytes of state records written or read so far. */
  readonly doneBytes: number;
  /** How many there will be: exactly when reading, about (by weight) when writing. */
  readonly totalBytes: number;
}
