import { mkdir, writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { join } from "node:path";

const INTERVAL_US = 200;

/**
 * Runs `work` and writes its CPU profile to `<directory>/<name>.cpuprofile`, for the developer tools of Chrome or an editor. Work in
 * child processes is profiled there, by Node's own flag. Without a directory it only runs.
 */
export async function profiled<T>(
  directory: string | undefined,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  if (directory === undefined) return work();
  await mkdir(directory, { recursive: true });
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await session.post("Profiler.start");
    const result = await work();
    const { profile } = await session.post("Profiler.stop");
    await writeFile(join(directory, `${name}.cpuprofile`), JSON.stringify(profile));
    return result;
  } finally {
    session.disconnect();
  }
}
