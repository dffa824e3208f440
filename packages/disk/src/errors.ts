import type { CommonCode } from "@ckpt/errors";

/** The codes that this package adds to the common ones. */
export type DiskCode =
  /** A symbolic link, or something else than a plain file or directory, stands where the store keeps its own. Nothing was followed. */
  | "CKPT_UNSAFE_PATH"
  /** The directory is on a network file system, whose locks and syncs cannot be relied on. */
  | "CKPT_NETWORK_FILE_SYSTEM";

/** Every code that a {@link DiskStore} rejects with. */
export type DiskStoreCode = CommonCode | DiskCode;
