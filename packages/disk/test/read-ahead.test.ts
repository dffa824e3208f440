import { describe, expect, it } from "vitest";
import { readAhead } from "../src/read-ahead.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Chunks 0, 1, 2, ... of `size` bytes; counts how many were made, and notes when it was stopped. */
function counter(size: number, end = Number.POSITIVE_INFINITY, failAt = Number.POSITIVE_INFINITY) {
  const made = { count: 0, isStopped: false };
  async function* source() {
    try {
      for (let i = 0; i < end; i++) {
        if (i === failAt) throw new Error("cannot go on");
        made.count++;
        yield new Uint8Array(size).fill(i);
        if (i % 3 === 0) await turn();
      }
    } finally {
      made.isStopped = true;
    }
  }
  return { made, source: source() };
}

describe("reading ahead", () => {
  it("hands out every chunk, in order, whoever is the slower", async () => {
    for (const consumerWaits of [0, 1, 3]) {
      const { source } = counter(10, 50);
      const seen: number[] = [];
      for await (const chunk of readAhead(source, 35)) {
        seen.push(chunk[0]!);
        for (let i = 0; i < consumerWaits; i++) await turn();
      }
      expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i));
    }
  });

  it("makes chunks while nobody asks, up to its bound", async () => {
    const { made, source } = counter(10);
    const chunks = readAhead(source, 95);
    await chunks.next();
    for (let i = 0; i < 100; i++) await turn();
    expect(made.count).toBe(11);
    await chunks.return();
    expect(made.isStopped).toBe(true);
    expect(made.count).toBe(11);
  });

  it("throws what the source threw, behind the chunks before it", async () => {
    const { source } = counter(10, 50, 7);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const chunk of readAhead(source, 1000)) seen.push(chunk[0]!);
    })();
    await expect(reading).rejects.toThrow("cannot go on");
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});
