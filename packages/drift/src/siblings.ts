import type { Signal } from "./signal.js";
import type { Evidence } from "./verdict.js";

/** Verbs at the start of a tool's name that say it only looks. */
const LOOKING: ReadonlySet<string> = new Set(
  "get list search find read view show describe lookup look fetch query check calculate compute think plan wait respond ask".split(
    " ",
  ),
);
/** Who a conversation is handed over to, by tools named like `transfer_to_human_agents`. */
const SOMEBODY = /^(agents?|humans?|person|operator)$/;
const MAX_LEAVES = 5000;
const MAX_DEPTH = 12;
/** What one attempt to change the world counts, in leaves: doing more than the siblings is a risk by itself. */
const ATTEMPT_WEIGHT = 4;
/** Evidence from this much disagreement on, and its level of drift; about one argument object, and a whole other plan. */
const WARN_AT = 8;
const DRIFT_AT = 30;

/** Options of {@link Siblings}. */
export interface SiblingsOptions {
  /**
   * Whether a tool changes the world. Default: every tool whose name does not begin with a verb of looking (`get_user`, `listFiles`, `search`,
   * ...) and does not hand the conversation over (`transfer_to_human_agents`).
   */
  readonly changesState?: (tool: string) => boolean;
}

/** What one agent's siblings say about it. */
export interface SiblingReport {
  readonly agentId: string;
  /** Mean number of facts about state-changing calls that only one of two siblings has, plus four for each attempt. Higher is more suspect. */
  readonly score: number;
  /** The share of the score that comes from disagreement. */
  readonly disagreement: number;
  /** State-changing calls, failed ones included. */
  readonly attempts: number;
  readonly evidence: Omit<Evidence, "since"> | undefined;
}

/**
 * Agents that work on the same task watch each other: what they did to the world (tool and arguments, argument by argument) is compared, and the
 * one that stands apart is named. Give each agent's signals as they come; ask at any time. The leaves of the arguments are kept as text, up to 5,000
 * for each agent.
 */
export class Siblings {
  readonly #changesState: (tool: string) => boolean;
  readonly #facts = new Map<string, Set<string>>();
  readonly #attempts = new Map<string, number>();

  constructor(options: SiblingsOptions = {}) {
    this.#changesState = options.changesState ?? ((tool) => !onlyLooks(tool));
  }

  /** Takes one step of one agent: `tool` and `arguments` are used. */
  observe(agentId: string, signal: Signal): void {
    const facts = this.#facts.get(agentId) ?? new Set();
    this.#facts.set(agentId, facts);
    if (signal.tool === undefined || !this.#changesState(signal.tool)) return;
    this.#attempts.set(agentId, (this.#attempts.get(agentId) ?? 0) + 1);
    collect(signal.tool, signal.arguments, 0, facts);
  }

  /** What the siblings say about each agent, most suspect first. */
  reports(): SiblingReport[] {
    return [...this.#facts.keys()].map((agentId) => this.#report(agentId)).sort((a, b) => b.score - a.score);
  }

  #report(agentId: string): SiblingReport {
    const own = this.#facts.get(agentId)!;
    const others = [...this.#facts].filter(([id]) => id !== agentId).map(([, facts]) => facts);
    const distances = others.map((other) => symmetricDifference(own, other));
    const disagreement = distances.reduce((a, b) => a + b, 0) / Math.max(1, others.length);
    const attempts = this.#attempts.get(agentId) ?? 0;
    const score = disagreement + ATTEMPT_WEIGHT * attempts;
    const alone = [...own].filter((fact) => others.every((other) => !other.has(fact)));
    const evidence =
      disagreement < WARN_AT ? undefined : describe(agentId, disagreement, score, alone, others.length);
    return { agentId, score, disagreement, attempts, evidence };
  }
}

function onlyLooks(tool: string): boolean {
  const words = wordsOf(tool);
  const [verb, next] = words;
  if (verb === "transfer" && next === "to") return words.some((word) => SOMEBODY.test(word));
  return verb !== undefined && LOOKING.has(verb);
}

/** The words of a name in `snake_case`, `kebab-case` or `camelCase`, in lower case. */
function wordsOf(name: string): string[] {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];
  return words.map((word) => word.toLowerCase());
}

function describe(
  agentId: string,
  disagreement: number,
  score: number,
  alone: readonly string[],
  siblings: number,
): Omit<Evidence, "since"> {
  const told = alone
    .slice(0, 3)
    .map((fact) => fact.slice(0, 120))
    .join("; ");
  return {
    detector: "siblings",
    metric: "state-changing calls",
    level: disagreement >= DRIFT_AT ? "drift" : "warn",
    before: "as its siblings",
    after: `${disagreement.toFixed(1)} facts apart`,
    window: siblings,
    confidence: 1 - Math.exp(-score / DRIFT_AT),
    message: `${agentId} did other things to the world than its ${siblings} siblings${told === "" ? "" : `; only it: ${told}`}.`,
    suggestion:
      "Compare the calls with the siblings' before they take effect, or let a person decide between them.",
  };
}

function symmetricDifference(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const fact of a) if (b.has(fact)) common++;
  return a.size + b.size - 2 * common;
}

/** One fact per leaf of the arguments, with its path; elements of an array share theirs. */
function collect(path: string, value: unknown, depth: number, facts: Set<string>): void {
  if (facts.size >= MAX_LEAVES) return;
  if (depth < MAX_DEPTH && Array.isArray(value)) {
    for (const element of value) collect(`${path}[]`, element, depth + 1, facts);
  } else if (depth < MAX_DEPTH && typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) collect(`${path}.${key}`, inner, depth + 1, facts);
  } else facts.add(`${path}=${typeof value === "object" && value !== null ? "..." : String(value)}`);
}
