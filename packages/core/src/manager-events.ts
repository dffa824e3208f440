import type { Checkpoint, SavedCheckpoint } from "./checkpoint.js";

/** What a manager tells those who listen. */
export interface ManagerEvents<State = unknown> {
  /** A checkpoint was committed. */
  saved: SavedCheckpoint<State>;
  /** The head moved back to a checkpoint. */
  restored: { readonly checkpoint: Checkpoint<State>; readonly reason: string };
  /** A rule (`compressAfter`, `maxCheckpoints`, a retention policy) removed checkpoints. */
  pruned: { readonly ids: readonly string[]; readonly reason: string };
  /** The caller removed checkpoints. */
  removed: { readonly ids: readonly string[]; readonly reason: string };
  /** Checkpoints came in from a text. */
  imported: { readonly ids: readonly string[] };
  /** Something failed that no call could reject with: a listener, or work after a save that was already committed. */
  error: { readonly during: string; readonly error: unknown };
}
