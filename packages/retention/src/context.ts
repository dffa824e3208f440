/** What a plan has to know beside the headers. The first three come from the store's `AgentState`. */
export interface RetentionContext {
  /** Guards whose operation is not done; their base checkpoints are never dropped. */
  readonly openGuards?: readonly { readonly checkpointId: string }[];
  /** Never dropped. */
  readonly pinnedIds?: readonly string[];
  /**
   * The current checkpoint: never dropped. Where it is damaged, what a recovery would go back to is not dropped either. Null: it was
   * removed, and a recovery begins at the newest. Left out: no recovery is thought of.
   */
  readonly headId?: string | null;
  /**
   * Checkpoints that cannot be restored. They do not count as kept copies: `keepLast(3)` keeps three intact ones. They stay as long as
   * they would have stayed whole; where a cap is exceeded, they go first.
   */
  readonly damagedIds?: readonly string[];
  /** Checkpoints whose operation is known to be done, for `keepUntilReleased`. */
  readonly releasedIds?: readonly string[];
  /** The sequence of the first checkpoint saved under each open suspicion of drift. */
  readonly suspectedSince?: number | readonly number[];
  /** Suspends age rules on the caller's word, for example after its monotonic clock disagreed with the wall clock. */
  readonly clockSuspect?: boolean;
}
