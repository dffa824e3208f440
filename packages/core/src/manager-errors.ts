/** Codes that the manager adds to the common ones. */
export type ManagerErrorCode =
  /** An agent id, session id, checkpoint id or name is not acceptable; `details.rule` names the rule. */
  | "CKPT_INVALID_ID"
  /** A text given to `importCheckpoints` is not what `export` writes; `details` has the position. Nothing was imported. */
  | "CKPT_INVALID_IMPORT"
  /** The schema refused a state, on save or on restore; `details.issues` has its words. */
  | "CKPT_INVALID_STATE"
  /** A migration threw, or the step that a stored state needs is missing; `details` has the step. */
  | "CKPT_MIGRATION_FAILED";
