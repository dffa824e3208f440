import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { DriverLedger } from "../src/process/driver-ledger.js";
import { Server, startWorker } from "../src/process/drivers.js";

const driver = join(import.meta.dirname, "../dist/driver.js");
const made: string[] = [];

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ckpt-driver-test-"));
  made.push(path);
  return path;
}

beforeAll(() => {
  if (!existsSync(driver)) throw new Error(`${driver} is missing: build first (npm test does)`);
});

afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});

describe("the driver", () => {
  it("acknowledges every save of a calm run, and serves the newest of each agent", async () => {
    const [path, ledger, server] = [await directory(), new DriverLedger(), new Server(driver)];
    expect(await startWorker(driver, ledger, [path, 60, 5, 4]).ended).toBe(0);
    expect(ledger.errors).toEqual([]);
    expect(ledger.acknowledged).toBe(60);
    const answers = await server.ask(path);
    expect(Object.keys(answers)).toEqual(["w1-a", "w1-b", "w1-c"]);
    expect(Object.values(answers)).toMatchObject([{ i: 5 + 57 * 4 }, { i: 5 + 58 * 4 }, { i: 5 + 59 * 4 }]);
    expect(ledger.check(answers)).toEqual({ lost: [], wrong: [] });
    server.close();
  });

  it("goes on with the same agents after a kill, and loses nothing that it acknowledged", async () => {
    const [path, ledger, server] = [await directory(), new DriverLedger(), new Server(driver)];
    for (const start of [0, 1_000_000]) {
      const worker = startWorker(driver, ledger, [path, 100_000, start, 2]);
      const enough = ledger.acknowledged + 30;
      while (ledger.acknowledged < enough) await sleep(5);
      worker.kill("SIGKILL");
      await worker.ended;
      expect(ledger.check(await server.ask(path))).toEqual({ lost: [], wrong: [] });
    }
    expect(ledger.errors).toEqual([]);
    server.close();
  });

  it("answers for places without a store, and goes on", async () => {
    const [path, server] = [await directory(), new Server(driver)];
    expect(await server.ask(join(path, "nothing-here"))).toEqual({});
    expect(await server.ask(path)).toEqual({});
    server.close();
  });

  it("says what it needs when it is called wrongly", async () => {
    const ledger = new DriverLedger();
    expect(await startWorker(driver, ledger, ["somewhere", "many", 0, 1]).ended).toBe(2);
    expect(ledger.errors.join("\n")).toContain("usage: driver.js work DIR N START STEP");
  });
});
