import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FrameLog } from "@ckpt/io";
import { expect, it } from "vitest";
import { tempDirectory } from "./support/temp-directory.js";

const TURNS = 300;

it("holds on to nothing that it has written, though there is always another append under way", async () => {
  const log = await FrameLog.create(join(await tempDirectory(), "log"));
  const bodies: WeakRef<object>[] = [];
  const append = () => {
    const body = Buffer.alloc(8192, bodies.length);
    bodies.push(new WeakRef(body));
    return log.append({ kind: 1, body });
  };
  for (let turn = 0; turn < TURNS; turn++) await append();
  // Another is under way: the log is never seen idle.
  const last = append();
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const held = bodies.slice(0, TURNS).filter((body) => body.deref() !== undefined).length;
  await last;
  await log.close();
  expect(held).toBeLessThan(TURNS / 10);
});
