/** Long texts with everything in them that JSON and UTF-8 treat in a way of its own, across the seams of what they are written in. */
import { isDeepStrictEqual } from "node:util";
import { FaultyFileSystem, SeededRandom } from "@ckpt/conformance/faulty-fs";
import { snapshot } from "@ckpt/core";
import { type Instrument, openOn, put } from "../bench.js";

/** A lone surrogate among others, alone, and beside a pair; text of two, three and four bytes a character; escapes of both lengths. */
const UNITS = [
  "plain ",
  "x\ud800",
  "\udc00ü",
  "😀\ud800",
  "ü",
  "日本",
  "😀",
  '"',
  "\\",
  "\n",
  "\u0001",
  "\u001b[1m",
];
const MOST_UNITS = 40_000;

const stretch = (random: SeededRandom) => {
  const unit = random.pick(UNITS);
  return unit.repeat(random.below(MOST_UNITS) / unit.length);
};

/** Texts that take more and more of a chunk, and one that is nothing but escapes. */
function* states() {
  yield { text: `${"plain ".repeat(2_000)}\ud800` };
  yield { text: "\n".repeat(200_000) };
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed);
    const text = () => Array.from({ length: 1 + random.below(4) }, () => stretch(random)).join("");
    yield { messages: Array.from({ length: 1 + random.below(16) }, () => ({ content: text() })) };
  }
}

export const longTexts: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const store = await openOn(bench, disk.process(), { segmentBytes: 64 * 1024 * 1024 });
  await store.acquire("a");
  const expected: unknown[] = [];
  for (const state of states()) {
    expected.push(state);
    const { header } = put("a", expected.length);
    await store.commit([{ op: "put", header, snapshot: snapshot(state) }]);
  }
  await store.close();
  const reader = await bench.open(disk.process());
  for (const [i, state] of expected.entries()) {
    const loaded = (await reader.load("a", `a:${i + 1}`)).toValue();
    if (!isDeepStrictEqual(loaded, state)) return `state ${i + 1} came back as another`;
  }
  await reader.close();
  return undefined;
};
