import type { Snapshot } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { expect, it } from "vitest";
import { freshDirectory, put } from "./support/store.js";

// CKPT_LARGE_MB=256 is the full size.
const megabytes = Number(process.env.CKPT_LARGE_MB ?? 24);
const line = "An agent's state is mostly text, and some of it is not ASCII: grün, 東京, naïve. ";

function build(): { messages: { role: string; content: string }[] } {
  const messages = [];
  for (let i = 0; i < (megabytes * 1024 * 1024) / 8192; i++) {
    messages.push({ role: "user", content: `${i} ${line.repeat(98)}` });
  }
  return { messages };
}

/** The longest time that the event loop was not free, while `work` ran. */
async function longestBlockMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return longest;
}

it(`saves and restores a state of ${megabytes} MB, in slices and without a copy of the whole`, async () => {
  const directory = await freshDirectory();
  const store = new DiskStore(directory);
  await store.acquire("a");
  await store.acquire("b");
  const entry = put("a", 1, build());
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  const written: number[] = [];
  const block = await longestBlockMs(async () => {
    const saving = store.commit([entry], { onProgress: ({ doneBytes }) => written.push(doneBytes) });
    // Others get their turn meanwhile.
    for (let i = 1; i <= 3; i++) await store.commit([put("b", i, { i })]);
    const receipt = await saving;
    expect(receipt.bytesWritten).toBeGreaterThan(megabytes * 1024 * 1024);
  });
  clearInterval(watch);
  console.info(
    `peak ${((peak - before) / 1e6).toFixed(0)} MB over the state; longest block ${block.toFixed(0)} ms`,
  );
  let next: Snapshot = entry.snapshot;
  for (let i = 2; i <= 4; i++) {
    const value = { ...(next.toValue() as object), turn: i };
    const delta = put("a", i, value, { previous: next });
    next = delta.snapshot;
    expect((await store.commit([delta])).bytesWritten).toBeLessThan(5000);
  }
  await store.close();
  const again = new DiskStore(directory);
  const read: number[] = [];
  const loaded = await again.load("a", "a:4", {
    onProgress: ({ doneBytes, totalBytes }) => read.push(doneBytes / totalBytes),
  });
  for (const steps of [written, read]) {
    expect(steps.length).toBeGreaterThan(megabytes / 2);
    expect(steps).toEqual([...steps].sort((x, y) => x - y));
  }
  expect(read.at(-1)).toBe(1);
  expect(loaded.hash).toBe(next.hash);
  const { messages, turn } = loaded.toValue<{ messages: unknown[]; turn: number }>();
  expect([messages.length, turn]).toEqual([(megabytes * 1024 * 1024) / 8192, 4]);
  expect(messages.at(-1)).toEqual(build().messages.at(-1));
  await again.close();
}, 300_000);
