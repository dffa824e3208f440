/** What compaction and repair share: one at a time per store, under a lease. */
import { acquireLease, type FileSystem } from "@ckpt/io";
import type { Catalog } from "./catalog.js";
import { DeadWriters } from "./dead-writers.js";
import type { StoreLayout } from "./layout.js";
import type { ResolvedOptions } from "./options.js";
import type { OwnWriter } from "./own-writer.js";

export interface MaintenanceContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly options: ResolvedOptions;
  readonly catalog: Catalog;
  readonly writer: OwnWriter;
}

/** Runs `work` while holding the store's maintenance lease; rejects with `CKPT_LOCKED` when another process has it. */
export async function underMaintenance<T>(
  { fs, layout, writer }: MaintenanceContext,
  work: (dead: DeadWriters) => Promise<T>,
): Promise<T> {
  const lease = await acquireLease(layout.maintenance, {
    fs,
    writer: writer.writerId,
    subject: "maintenance",
  });
  const dead = new DeadWriters(fs, layout);
  try {
    return await work(dead);
  } finally {
    await dead.release();
    await lease.release();
  }
}
