import { Slices } from "@ckpt/io";
import { expect, it } from "vitest";

/** Works until a pause is due. */
function pauseOf(slices: Slices): Promise<void> {
  for (;;) {
    const pause = slices.pause();
    if (pause !== undefined) return pause;
  }
}

it("asks for no pause at first, and for one when a slice's time is used up", async () => {
  const slices = new Slices();
  expect(slices.pause()).toBeUndefined();
  await pauseOf(slices);
  expect(slices.pause()).toBeUndefined();
});

it("lets what waits on the event loop run in a pause", async () => {
  const slices = new Slices();
  let hasRun = false;
  setImmediate(() => {
    hasRun = true;
  });
  await pauseOf(slices);
  expect(hasRun).toBe(true);
});

it("rests while it steps back, so that what is due soon comes first", async () => {
  const slices = new Slices(() => true);
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, 2);
  await pauseOf(slices);
  expect(isOver).toBe(true);
});
