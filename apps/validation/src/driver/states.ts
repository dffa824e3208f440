import { createHash } from "node:crypto";

/** Agents of one driver process, which takes turns among them. */
export const LANES = 4;

/** A state of the driver: `i` is the number that the save carries. */
export interface DriverState {
  i: number;
  kind: string;
  log: string[];
  blob?: string;
  table?: Record<string, number>;
}

export const shaOf = (state: unknown): string =>
  createHash("sha256").update(JSON.stringify(state)).digest("hex");

/** The same generator everywhere, so that a number always makes the same text. */
function randomFrom(seed: number): () => number {
  let a = (seed * 2654435761) >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function text(random: () => number, length: number): string {
  let out = "";
  while (out.length < length) out += `${Math.floor(random() * 2 ** 32).toString(36)} `;
  return out.slice(0, length);
}

const MOST_BYTES = 100_000;

/**
 * The next state: most saves change the live object a little (it grows, until it is cut back), some replace it by
 * another one of 1 to 100 KB, some rebuild it from scratch with the same content.
 */
export function nextState(current: DriverState | undefined, i: number): DriverState {
  const random = randomFrom(i + 1);
  const kind = random();
  if (current === undefined || kind < 0.12) {
    const bytes = Math.floor(1000 * 100 ** random());
    return {
      i,
      kind: "rebuilt",
      log: [text(random, 200)],
      blob: text(random, bytes - 400 > 0 ? bytes - 400 : 400),
    };
  }
  const state = kind < 0.3 ? (JSON.parse(JSON.stringify(current)) as DriverState) : current;
  state.i = i;
  state.kind = kind < 0.3 ? "copied" : "grown";
  state.log.push(text(random, 50 + Math.floor(random() * 1500)));
  if (kind > 0.9) state.log.splice(0, 1 + Math.floor(random() * 3));
  if (kind > 0.8) state.table = { ...state.table, [`k${i % 40}`]: i };
  if (kind > 0.95) state.log.unshift(`summary é世界 ${text(random, 120)}`);
  let size = JSON.stringify(state).length;
  while (size > MOST_BYTES && state.log.length > 1) size -= (state.log.shift() as string).length;
  if (size > MOST_BYTES) delete state.blob;
  return state;
}
