/** One call on a file system or file. */
export type OperationKind =
  /** Opening a file that must exist. */
  | "open"
  /** Opening a file that may be created. */
  | "create"
  | "stat"
  | "readdir"
  | "mkdir"
  | "rename"
  | "link"
  | "unlink"
  | "rmdir"
  | "syncDirectory"
  | "realpath"
  | "freeBytes"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "datasync"
  | "fstat"
  | "tryLock"
  | "close";

export interface Operation {
  /** 1, 2, 3, ... in the order in which the calls began. */
  readonly index: number;
  readonly kind: OperationKind;
  readonly path: string;
  /** Its place among the operations that promise durability (sync, datasync, syncDirectory, an O_DSYNC write); 0 for others. */
  readonly syncIndex: number;
}

/** Operations that a full disk can refuse. */
export const CONSUMES_SPACE: readonly OperationKind[] = [
  "create",
  "mkdir",
  "rename",
  "link",
  "write",
  "truncate",
  "sync",
  "datasync",
];

/** Operations that a read-only disk refuses. */
export const CHANGES_DISK: readonly OperationKind[] = [...CONSUMES_SPACE, "unlink", "rmdir", "syncDirectory"];
