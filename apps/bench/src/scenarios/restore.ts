import { percentile } from "../measure.js";
import { bar, type Scenario } from "../scenario.js";

interface Timed {
  readonly ms: number;
}

/** The latest and old checkpoints of a 1,000-turn history, each restored in a fresh process and compared by hash. */
export const restore: Scenario = {
  name: "restore",
  title: "restore from a 1,000-turn history in a fresh process, hash verified",
  async run(run) {
    const directory = await run.directory();
    const turns = run.quick ? 300 : 1000;
    run.progress("restore: writing the history");
    const { hashes } = await run.child<{ hashes: string[] }>("writeHistory", {
      directory,
      seed: run.seed,
      turns,
    });
    const old = Math.floor((turns * 0.53) / 97) * 97 + 3;
    const figures: Record<string, number[]> = {};
    const measure = async (task: string, index: number, warm: boolean) => {
      const key = `${task} ${index === turns - 1 ? "latest" : "old"}${warm ? "" : ", cold"}`;
      run.progress(`restore: ${key}`);
      const { ms } = await run.child<Timed>(task, { directory, index, sha: hashes[index], warm });
      figures[key] = [...(figures[key] ?? []), ms];
    };
    for (let round = 0; round < run.rounds; round += 1)
      for (const index of [turns - 1, old])
        for (const warm of [true, false])
          for (const task of ["restoreOurs", "restoreJson"]) await measure(task, index, warm);
    const median = (key: string) => percentile(figures[key] ?? [], 0.5);
    const rows = Object.entries(figures).map(([name, values]) => ({
      name: name.replace("restoreOurs", "@ckpt").replace("restoreJson", "read + JSON.parse"),
      kind: name.startsWith("restoreOurs") ? ("ours" as const) : ("limit" as const),
      durability: "–",
      median: percentile(values, 0.5),
      min: Math.min(...values),
      max: Math.max(...values),
      oursRatio: name.startsWith("restoreOurs")
        ? null
        : percentile(values, 0.5) / median(name.replace("restoreJson", "restoreOurs")),
    }));
    return {
      name: "restore",
      title: restore.title,
      unit: "ms",
      higherIsBetter: false,
      rows,
      bars: [
        bar(
          "latest, against read + JSON.parse",
          median("restoreOurs latest") / median("restoreJson latest"),
          "≤",
          1.0,
        ),
        bar(
          "a random old one, against read + JSON.parse",
          median("restoreOurs old") / median("restoreJson old"),
          "≤",
          1.2,
        ),
      ],
      notes: ["warm: the fifth restore of the process; cold: the first"],
    };
  },
};
