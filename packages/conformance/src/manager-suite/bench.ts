import type { CheckpointManager, ManagerOptions } from "@ckpt/core";
import { afterEach } from "vitest";

/** What the suite asks a manager's author for. */
export interface ManagerUnderTest {
  /** A fresh manager over a fresh, empty store. Options that it does not have are passed over. */
  create<State = unknown>(options?: ManagerOptions<State>): Promise<CheckpointManager<State>>;
  /**
   * A new manager on what `former`, which is closed, has kept. Where it is given, managers are durable and tests of reopening
   * run.
   */
  reopen?<State = unknown>(
    former: CheckpointManager<State>,
    options: ManagerOptions<State>,
  ): Promise<CheckpointManager<State>>;
  /** Whether `maxCheckpoints` and `compressAfter` are on. */
  readonly thins: boolean;
  /** Releases what `create` made; managers may be closed already. */
  cleanup?(): Promise<void>;
}

/** Opens managers and closes those that a test left open. */
export function opener(subject: ManagerUnderTest): ManagerUnderTest["create"] {
  const open = new Set<{ close(): Promise<void> }>();
  afterEach(async () => {
    for (const manager of open) await manager.close();
    open.clear();
    await subject.cleanup?.();
  });
  return async (options) => {
    const manager = await subject.create(options);
    open.add(manager);
    return manager;
  };
}

/** The code of the error that `promise` rejects with, and the error. */
export async function rejection(promise: Promise<unknown>): Promise<{ code: unknown; error: Error }> {
  try {
    await promise;
  } catch (error) {
    return { code: (error as { code?: unknown }).code, error: error as Error };
  }
  throw new Error("It did not reject.");
}
