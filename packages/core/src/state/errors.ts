/** Codes that snapshots add to the common ones. */
export type StateErrorCode =
  /** The state holds what cannot be kept exactly; `details.path` says where, `details.reason` what. Nothing was saved. */
  | "CKPT_REFUSED_STATE"
  /** The state holds an instance whose class codec is not registered; `details.codec` names it. */
  | "CKPT_UNKNOWN_CODEC";
