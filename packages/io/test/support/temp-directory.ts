import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

const made: string[] = [];

afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});

/** A fresh directory that is removed after the test. */
export async function tempDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ckpt-io-"));
  made.push(path);
  return path;
}
