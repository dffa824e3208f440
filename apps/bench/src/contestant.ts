import type { AgentState } from "./states.js";

/** An open store of one contestant: saves whole states under an agent's name and gives the latest back. */
export interface OpenContestant {
  save(agent: string, state: AgentState, turn: number): Promise<void>;
  latest(agent: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Something that keeps agent states, or a physical limit that pretends to. */
export interface Contestant {
  readonly name: string;
  /** What a resolved save really survives. */
  readonly durability: "power cut" | "process crash" | "nothing";
  readonly kind: "ours" | "limit" | "peer";
  open(directory: string): Promise<OpenContestant>;
}

/** A peer that is not there: named in the report, never guessed. */
export interface Absent {
  readonly name: string;
  readonly absent: string;
}
