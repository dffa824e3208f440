/** A seeded source of numbers in [0, 1): mulberry32. The same seed and stream give the same numbers everywhere. */
export function random(seed: number, stream = 0): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A whole number between `min` and `max`, both included. */
export const between = (draw: () => number, min: number, max: number): number =>
  min + Math.floor(draw() * (max - min + 1));
