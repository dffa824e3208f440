export type { TransferOptions } from "./disk-store.js";
export { DiskStore } from "./disk-store.js";
export type { DiskCode, DiskStoreCode } from "./errors.js";
export type { DiskStoreOptions } from "./options.js";
export { DISK_STORE_DEFAULTS } from "./options.js";
export type { OnProgress, Progress } from "./progress.js";
export type { RepairAction, RepairReport } from "./repair.js";
