import crypto from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { numbers } from "./state/mutate.js";

/*
 * What a save of a small change to a 2 MB state does, counted instead of timed: nodes built (each is frozen once), text written as
 * JSON, bytes hashed. The counts are the same on every machine, so a change that makes saves cost the state instead of the
 * change fails here, however fast the machine.
 */
const counts = { frozen: 0, stringified: 0, hashed: 0 };
const original = { freeze: Object.freeze, stringify: JSON.stringify, hash: crypto.hash };
let core: typeof import("@ckpt/core");

beforeAll(async () => {
  Object.freeze = <T>(value: T): T => {
    counts.frozen++;
    return original.freeze(value);
  };
  JSON.stringify = (value: unknown): string => {
    const text = original.stringify(value);
    counts.stringified += text?.length ?? 0;
    return text;
  };
  const counting = (...[algorithm, data, encoding]: Parameters<typeof crypto.hash>): string => {
    counts.hashed += typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    return crypto
      .createHash(algorithm)
      .update(data)
      .digest(encoding as "hex");
  };
  crypto.hash = counting as typeof crypto.hash;
  // After the counters are in place: the library looks for one-shot hashing when it is loaded.
  core = await import("@ckpt/core");
});

afterAll(() => {
  Object.freeze = original.freeze;
  JSON.stringify = original.stringify;
  crypto.hash = original.hash;
});

const words = "the agent reads what the tool has found and goes on until it knows why it failed".split(" ");

/** Distinct text, so that no message is a small edit of another; every fourth is short enough to be hashed with its neighbours. */
function message(n: number) {
  const next = numbers(n);
  const length = n % 4 === 0 ? 20 : 260;
  const content = Array.from({ length }, () => words[next() % words.length]).join(" ");
  return { role: n % 3 === 0 ? "tool" : "assistant", id: `message-${n}`, content };
}

function conversation(count: number) {
  const messages = Array.from({ length: count }, (_, n) => message(n));
  return { agent: "agent-3", step: 0, messages, counters: { tokens: 0, toolCalls: 0 } };
}

/** What one save does: capture, delta, record, hash. Counted after a save has made the state known. */
function saving(count: number, change: (state: ReturnType<typeof conversation>) => unknown) {
  const { diff, encodeDelta, encodeKeyframe, snapshot } = core;
  const state = conversation(count);
  let previous = snapshot(state);
  for (const chunk of encodeKeyframe(previous)) expect(chunk.length).toBeGreaterThan(0);
  expect(previous.hash).toHaveLength(64);
  let recordBytes = 0;
  for (let turn = 1; turn <= 2; turn++) {
    change(state);
    Object.assign(counts, { frozen: 0, stringified: 0, hashed: 0 });
    recordBytes = 0;
    const next = snapshot(state, { previous });
    for (const chunk of encodeDelta(diff(previous, next))) recordBytes += chunk.length;
    expect(next.hash).not.toBe(previous.hash);
    previous = next;
  }
  return { ...counts, recordBytes, stateBytes: original.stringify(state).length };
}

describe("a save of a state of 2,000 messages and 2 MB", () => {
  it("of which one message was added builds, writes and hashes about that message", () => {
    const cost = saving(2_000, (state) => state.messages.push(message(state.messages.length)));
    expect(cost.frozen).toBeLessThanOrEqual(4);
    expect(cost.recordBytes).toBeLessThan(1_600);
    expect(cost.stringified).toBeLessThan(1_700);
    // 36 bytes for each group of the array, and the message.
    expect(cost.hashed).toBeLessThan(2_000 * 36 + 3_000);
  });

  it("in the middle of which one message was replaced costs the same", () => {
    const cost = saving(2_000, (state) => state.messages.splice(1_000, 1, message(9_001 + 2 * state.step++)));
    expect(cost.frozen).toBeLessThanOrEqual(6);
    expect(cost.recordBytes).toBeLessThan(1_600);
    expect(cost.stringified).toBeLessThan(3_000);
    expect(cost.hashed).toBeLessThan(2_000 * 36 + 5_000);
  });

  it("of which a counter changed writes the counters", () => {
    const cost = saving(2_000, (state) => state.counters.tokens++);
    expect(cost.frozen).toBeLessThanOrEqual(3);
    expect(cost.recordBytes).toBeLessThan(200);
    expect(cost.stringified).toBeLessThan(400);
    expect(cost.hashed).toBeLessThan(600);
  });
});

describe("a save of a small state", () => {
  it("writes the state as text once, for its hash, and the change once, for its record", () => {
    const cost = saving(2, (state) => state.messages.push(message(9_001 + 2 * state.step++)));
    expect(cost.stringified).toBeLessThan(cost.stateBytes + 1_700);
    expect(cost.hashed).toBeLessThan(cost.stateBytes + 100);
  });
});
