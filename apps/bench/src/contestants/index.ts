import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Absent, Contestant } from "../contestant.js";
import { Generator } from "../states.js";

/** Opens, saves and closes each contestant once, below `work`; those that cannot are reported as absent with the reason. */
export async function probe(
  contestants: readonly Contestant[],
  work: string = tmpdir(),
): Promise<{ present: Contestant[]; absent: Absent[] }> {
  const present: Contestant[] = [];
  const absent: Absent[] = [];
  for (const contestant of contestants) {
    const directory = await mkdtemp(join(work, "ckpt-bench-"));
    try {
      const open = await contestant.open(directory);
      await open.save("agent-3", new Generator(1).state(2048), 0);
      await open.close();
      present.push(contestant);
    } catch (error) {
      absent.push({
        name: contestant.name,
        absent:
          error instanceof Error
            ? (error.message.split("\n")[0] as string)
            : "it did not start, and gave no reason",
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  return { present, absent };
}
