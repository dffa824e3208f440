import type { CheckpointStore, StoreEntry } from "@ckpt/core";
import { snapshot } from "@ckpt/core";
import { ResilientCheckpointManager, type ResilientOptions } from "@ckpt/resilient";

/** A live agent: an object with a state, as users have it. */
export class TestAgent<State> {
  state: State;
  readonly applied: State[] = [];

  constructor(state: State) {
    this.state = state;
  }

  readonly collect = (): State => this.state;
  readonly apply = (state: State): void => {
    this.state = state;
    this.applied.push(structuredClone(state));
  };
}

/** An agent and its manager over `store`. Retention is off unless a test turns it on. */
export function agentOver<State>(
  store: CheckpointStore,
  state: State,
  options: ResilientOptions<State> & { readonly agentId?: string } = {},
): { agent: TestAgent<State>; manager: ResilientCheckpointManager<State> } {
  const { agentId = "a", ...rest } = options;
  const agent = new TestAgent(state);
  const manager = new ResilientCheckpointManager<State>(agentId, {
    store,
    collect: agent.collect,
    apply: agent.apply,
    retention: false,
    ...rest,
  });
  return { agent, manager };
}

type Put = Extract<StoreEntry, { op: "put" }>;

/** A put of `value` as the given checkpoint of the agent. */
export function put(agentId: string, sequence: number, value: unknown): Put {
  return {
    op: "put",
    header: {
      id: `${agentId}:${sequence}`,
      agentId,
      sequence,
      name: "routine",
      timestamp: "2026-01-01T00:00:00.000000+00:00",
      parentId: sequence > 1 ? `${agentId}:${sequence - 1}` : null,
      metadata: {},
      schemaVersion: null,
    },
    snapshot: snapshot(value),
  };
}

/** The error that `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<{
  readonly code: string;
  readonly hint: string;
  readonly message: string;
  readonly cause: unknown;
  readonly details: Record<string, unknown>;
}> {
  try {
    await promise;
  } catch (error) {
    return error as never;
  }
  throw new Error("It did not reject.");
}

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${timeoutMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
