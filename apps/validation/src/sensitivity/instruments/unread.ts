import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type Instrument, marksOf, openOn, put } from "../bench.js";
import { beforeOpening, deviceError } from "./intercepted.js";

/** A segment that cannot be read may hold the agent's newest saves: who takes the agent meanwhile would overtake them. */
export const unread: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const former = await bench.open(disk.process());
  const lease = await former.acquire("a");
  for (let n = 1; n <= 3; n++) await former.commit([put("a", n)]);
  await lease.release();
  await former.close();
  const fs = beforeOpening(disk.process(), (path) => {
    if (path.endsWith(".seg")) throw deviceError();
  });
  const blind = await openOn(bench, fs);
  const taken = await blind.acquire("a").then(
    () => true,
    () => false,
  );
  await blind.close();
  if (taken) return "the agent was taken while what it had saved could not be read";
  const next = await bench.open(disk.process());
  await next.acquire("a");
  await next.commit([put("a", 4)]);
  const marks = await marksOf(next, "a");
  await next.close();
  return marks === "1 2 3 4" ? undefined : `there are ${marks}`;
};
