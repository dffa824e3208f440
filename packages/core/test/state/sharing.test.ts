import { diff, encodeDelta, rebase, type Snapshot, type StateNode, snapshot, toJsonPatch } from "@ckpt/core";
import { describe, expect, it } from "vitest";
import { numbers } from "./mutate.js";

const random = numbers(7);
const words =
  "the agent reads a file and then searches for what it needs before it writes down what it found".split(" ");
const prose = (length: number): string => {
  let text = "";
  while (text.length < length) text += `${words[random() % words.length]} `;
  return text;
};
let ids = 0;
const message = (length = 400) => ({
  id: ids++,
  role: "user",
  content: [{ type: "text", text: prose(length) }],
});
const rebuilt = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const children = (state: Snapshot, key: string): readonly StateNode[] => {
  const list = (state.root as { [name: string]: StateNode })[key];
  if (!Array.isArray(list)) throw new Error(`${key} is no array.`);
  return list;
};

function recordBytes(previous: Snapshot, next: Snapshot): number {
  let bytes = 0;
  for (const chunk of encodeDelta(diff(previous, next))) bytes += chunk.length;
  return bytes;
}

/** Takes the state before and after an edit; expects that all but `fresh` messages are the old nodes, and the bytes. */
function expectCost(
  edit: (messages: ReturnType<typeof message>[]) => void,
  fresh: number,
  maxBytes: number,
): void {
  for (const take of [<T>(value: T) => value, rebuilt]) {
    const state = { messages: Array.from({ length: 1_000 }, () => message()) };
    const before = snapshot(state);
    const old = new Set(children(before, "messages"));
    edit(state.messages);
    const after = snapshot(take(state), { previous: before });
    expect(children(after, "messages").filter((node) => !old.has(node)).length).toBe(fresh);
    expect(recordBytes(before, after)).toBeLessThan(maxBytes);
    expect(snapshot(state).hash).toBe(after.hash);
  }
}

describe("arrays are aligned by content: of 1,000 messages, live or rebuilt, only what is new is new", () => {
  it("when one is added at the end", () => expectCost((list) => list.push(message()), 1, 650));
  it("when the oldest goes and one comes", () =>
    expectCost((list) => list.splice(0, 1) && list.push(message()), 1, 650));
  it("when a summary is put in front", () => expectCost((list) => list.unshift(message()), 1, 650));
  it("when some in the middle give way to a summary", () =>
    expectCost((list) => list.splice(300, 200, message()), 1, 650));
  it("when one in the middle goes", () => expectCost((list) => list.splice(500, 1), 0, 100));
  it("when one in the middle changes", () =>
    expectCost(
      (list) => {
        list[500]!.role = "system";
      },
      1,
      150,
    ));
  it("when two are swapped", () =>
    expectCost(
      (list) => {
        [list[100], list[900]] = [list[900]!, list[100]!];
      },
      0,
      150,
    ));
  it("when they are rotated", () => expectCost((list) => list.push(...list.splice(0, 400)), 0, 120));
  it("when they are reversed", () => expectCost((list) => list.reverse(), 0, 12_000));

  it("when many are removed and added at once, far apart", () =>
    expectCost(
      (list) => {
        for (let i = 0; i < 10; i++) list.splice(i * 90, 1 + (i % 2), message(200));
      },
      10,
      4_500,
    ));

  it("when they change deep inside, at many places of a long list, in one pass", () => {
    const items = Array.from({ length: 50_000 }, (_, i) => ({ id: i, label: `item ${i}`, tags: ["a", "b"] }));
    const before = snapshot({ items });
    const next = rebuilt(items);
    next.splice(0, 1_000);
    for (let i = 0; i < next.length; i += 5_000) next[i]!.label = "changed";
    next.push({ id: -1, label: "last", tags: [] });
    const after = snapshot({ items: next }, { previous: before });
    const old = new Set(children(before, "items"));
    expect(children(after, "items").filter((node) => !old.has(node)).length).toBe(11);
    expect(recordBytes(before, after)).toBeLessThan(1_200);
  });
});

describe("a change costs what changed", () => {
  it("one key of 10,000", () => {
    const state: Record<string, { n: number; s: string }> = {};
    for (let i = 0; i < 10_000; i++) state[`key-${i}`] = { n: i, s: `value ${i}` };
    const before = snapshot(state);
    state["key-5000"] = { n: -1, s: "value 5000" };
    const changed = snapshot(state, { previous: before });
    expect(recordBytes(before, changed)).toBeLessThan(80);
    delete state["key-7"];
    state.more = { n: 1, s: "" };
    const after = snapshot(rebuilt(state), { previous: changed });
    expect(recordBytes(changed, after)).toBeLessThan(100);
    expect(snapshot(state).hash).toBe(after.hash);
  });

  it("a text that grows at its end, word by word, and one that is edited in the middle", () => {
    let text = prose(100_000);
    let before = snapshot({ turn: { answer: text } });
    for (const edit of [
      (t: string) => `${t}token `,
      (t: string) => `${t.slice(0, 50_000)}X${t.slice(50_003)}`,
      (t: string) => t.slice(1),
    ]) {
      text = edit(text);
      const after = snapshot({ turn: { answer: text } }, { previous: before });
      expect(recordBytes(before, after)).toBeLessThan(100);
      before = after;
    }
  });

  it("6 MB of numbers, of which none, or one, changes", () => {
    const embedding = new Float32Array(1_572_864).map((_, i) => Math.sin(i));
    const state = { step: 0, embedding };
    const before = snapshot(state);
    state.step = 1;
    const next = snapshot(state, { previous: before });
    expect(recordBytes(before, next)).toBeLessThan(50);
    embedding[800_000] = 5;
    const after = snapshot(state, { previous: next });
    expect(recordBytes(next, after)).toBeLessThan(100);
    expect(next.toValue<typeof state>().embedding[800_000]).not.toBe(5);
  });

  it("a new order of keys", () => {
    const state = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, prose(50)]));
    const before = snapshot(state);
    const { k0, ...rest } = state;
    const after = snapshot({ ...rest, k0 }, { previous: before });
    expect(after.hash).not.toBe(before.hash);
    expect(recordBytes(before, after)).toBeLessThan(60);
  });

  it("one entry of a Map", () => {
    const map = new Map(Array.from({ length: 2_000 }, (_, i) => [`k${i}`, { text: prose(60) }]));
    const before = snapshot({ map });
    map.set("k1000", { text: "new" });
    expect(recordBytes(before, snapshot({ map }, { previous: before }))).toBeLessThan(120);
  });

  it("a state that was read elsewhere, once it is rebased", () => {
    const list = Array.from({ length: 500 }, () => message());
    const before = snapshot({ list });
    const elsewhere = snapshot({ list: rebuilt([...list.slice(1), message()]) });
    const after = rebase(elsewhere, before);
    expect(after.hash).toBe(elsewhere.hash);
    expect(children(after, "list")[0]).toBe(children(before, "list")[1]);
    expect(recordBytes(before, after)).toBeLessThan(700);
  });
});

describe("toJsonPatch", () => {
  it("says a change as people would", () => {
    const state = { plan: ["a", "b", "c"], "a/b": { "~": 1 }, at: new Date(0), gone: 1 };
    const before = snapshot(state);
    const { gone, ...rest } = state;
    expect(gone).toBe(1);
    const after = snapshot(
      { ...rest, plan: ["c", "a", "x"], "a/b": { "~": 2 }, at: new Date(5), more: [undefined] },
      { previous: before },
    );
    expect(toJsonPatch(before, diff(before, after))).toEqual([
      { op: "remove", path: "/gone" },
      { op: "remove", path: "/plan/2" },
      { op: "remove", path: "/plan/1" },
      { op: "add", path: "/plan/0", value: "c" },
      { op: "add", path: "/plan/2", value: "x" },
      { op: "replace", path: "/a~1b/~0", value: 2 },
      { op: "replace", path: "/at/v", value: 5 },
      { op: "add", path: "/more", value: [{ $ckpt: "undefined" }] },
    ]);
    expect(toJsonPatch(before, diff(before, before))).toEqual([]);
  });

  it("keeps the longest row of elements where it is", () => {
    const list = Array.from({ length: 8 }, () => message(50));
    const before = snapshot(list);
    const after = snapshot([list[7], ...list.slice(0, 3), ...list.slice(4, 7)], { previous: before });
    expect(toJsonPatch(before, diff(before, after)).map(({ op, path }) => `${op} ${path}`)).toEqual([
      "remove /7",
      "remove /3",
      "add /0",
    ]);
  });
});
