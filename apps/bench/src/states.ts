/** Seeded, realistic agent states: natural text, tool calls, tool output with ordinary entropy. */

export interface Message {
  role: "user" | "assistant" | "tool";
  id: string;
  content: string;
  toolCalls?: { id: string; name: string; arguments: Record<string, unknown> }[];
}

export interface AgentState {
  agent: string;
  step: number;
  messages: Message[];
  queue: { id: number; title: string; done: boolean }[];
  counters: { tokens: number; toolCalls: number; errors: number };
}

/** A small fast generator (mulberry32): the same seed gives the same states on every machine. */
function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const WORDS =
  `the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years much where your way down should because long each just state file error result search query value return function retry agent task plan check report list read write test build data model token window`.split(
    /\s+/,
  );

export class Generator {
  readonly next: () => number;
  #serial = 0;

  constructor(seed: number) {
    this.next = random(seed);
  }

  text(bytes: number): string {
    const parts: string[] = [];
    for (let length = 0; length < bytes; ) {
      const word = WORDS[Math.floor(this.next() ** 1.6 * WORDS.length)] as string;
      parts.push(this.next() < 0.08 ? `${word}.` : word);
      length += word.length + 1;
    }
    return parts.join(" ").slice(0, bytes);
  }

  hex(length: number): string {
    let out = "";
    while (out.length < length)
      out += Math.floor(this.next() * 4294967296)
        .toString(16)
        .padStart(8, "0");
    return out.slice(0, length);
  }

  /** Output of a tool: paths, numbers, ids, less compressible than prose. */
  toolOutput(bytes: number): string {
    const lines: string[] = [];
    for (let length = 0; length < bytes; ) {
      const line = `${this.hex(8)} ${Math.floor(this.next() * 1e6)} src/${WORDS[Math.floor(this.next() * WORDS.length)]}/${this.hex(6)}.ts ${this.text(24)}`;
      lines.push(line);
      length += line.length + 1;
    }
    return lines.join("\n").slice(0, bytes);
  }

  message(bytes: number): Message {
    this.#serial += 1;
    const id = `msg_${this.#serial}_${this.hex(12)}`;
    const kind = this.next();
    const body = Math.max(16, bytes - 120);
    if (kind < 0.3) return { role: "user", id, content: this.text(body) };
    if (kind < 0.65) return { role: "tool", id, content: this.toolOutput(body) };
    const toolCalls = [{ id: this.hex(10), name: "search", arguments: { query: this.text(40), limit: 20 } }];
    return { role: "assistant", id, content: this.text(Math.max(16, body - 110)), toolCalls };
  }

  /** A whole state of about `bytes`, with messages of about `messageBytes`. */
  state(bytes: number, messageBytes = 1000): AgentState {
    const messages: Message[] = [];
    for (let size = 250; size + 60 < bytes; ) {
      const length = Math.min(messageBytes, bytes - size);
      messages.push(this.message(length));
      size += length;
    }
    return {
      agent: "agent-3",
      step: 0,
      messages,
      queue: [{ id: 1, title: this.text(30), done: false }],
      counters: { tokens: 0, toolCalls: 0, errors: 0 },
    };
  }
}

/** What one turn adds to a conversation. */
export interface Turn {
  readonly bytes: number;
  readonly messages: readonly Message[];
}

/** The next turn, of about `bytes`. */
export function turnOf(generator: Generator, bytes: number): Turn {
  return { bytes, messages: [generator.message(bytes / 2), generator.message(bytes / 2)] };
}

/** Takes a turn: the counters move and the conversation grows. */
export function take(state: AgentState, { bytes, messages }: Turn): void {
  state.step += 1;
  state.counters.tokens += Math.floor(bytes / 4);
  state.counters.toolCalls += 1;
  state.messages.push(...messages);
}
