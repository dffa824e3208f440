import type { Level } from "@ckpt/drift";
import type { StoreHealth } from "./health.js";

/** How a manager is: data for a health endpoint. Cheap; reads nothing from a disk. */
export interface ManagerStatus extends StoreHealth {
  readonly agentId: string;
  readonly closed: boolean;
  /** The last checkpoint that this manager saved, and how safe it was then. */
  readonly lastSaved: { readonly id: string; readonly timestamp: string; readonly durability: string } | null;
  /** Saves by this manager. */
  readonly saves: number;
  readonly drift: Level;
  /** Checkpoints that retention dropped and the next commit removes. */
  readonly pendingRemovals: number;
  /** Checkpoints that could not be read back, as far as this manager met them. */
  readonly damagedIds: readonly string[];
}
