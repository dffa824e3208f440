import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, outcome, type Scenario } from "../scenario.js";
import { repositoryRoot } from "../sensitivity/build.js";
import { type Mutant, together } from "../sensitivity/mutant.js";
import { MUTANTS } from "../sensitivity/mutants/index.js";
import { type Caught, runChange } from "../sensitivity/run-mutant.js";

/** A few that between them use the file system, an edit, a pair and several processes. */
const SHORT: readonly string[] = [
  "no O_DSYNC for segments",
  "the lock of writers lies",
  "leases are published over what is there",
  "records are loaded without their checksum",
  "what a dead writer left is not synced",
  "what a former holder writes behind a later one counts",
  "damaged segments are unlinked instead of moved aside",
];
const AT_ONCE = 2;

interface Run {
  readonly label: string;
  readonly expect: "caught" | "survived";
  run(): Promise<Caught>;
}

/** What is run for a mutant: by itself, and where it is redundant, together with what covers it. */
function runsOf(mutant: Mutant, root: string, directory: string): Run[] {
  const { name, coveredBy, instruments } = mutant;
  if (coveredBy === undefined)
    return [
      { label: name, expect: "caught", run: () => runChange(root, directory, name, mutant, instruments) },
    ];
  const both = `${name}, and without ${coveredBy.what}`;
  const used = [...new Set([...(coveredBy.instruments ?? []), ...instruments])];
  return [
    { label: name, expect: "survived", run: () => runChange(root, directory, name, mutant, instruments) },
    {
      label: both,
      expect: "caught",
      run: () => runChange(root, directory, `${name} both`, together(mutant, coveredBy), used),
    },
  ];
}

async function inParallel(runs: readonly Run[], done: (run: Run, caught: Caught) => void): Promise<void> {
  const queue = [...runs];
  const work = async () => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) done(run, await run.run());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

export const sensitivity: Scenario = {
  name: "sensitivity",
  does: "takes each safeguard out, one at a time: every fsync, checksum, lock and order, by changing the code or the file system below it.",
  proves:
    "the harness notices when a safeguard is missing: each mutant is caught, and the unchanged code passes the same instruments.",
  async run(context: Context) {
    const root = await repositoryRoot(dirname(fileURLToPath(import.meta.url)));
    // Inside of the repository, so that what is loaded at run time is found.
    const directory = join(root, "apps/validation/node_modules/.cache", `sensitivity-${process.pid}`);
    const mutants = context.short ? MUTANTS.filter(({ name }) => SHORT.includes(name)) : MUTANTS;
    const wanted = context.parts
      ? MUTANTS.filter(({ name }) => context.parts?.some((part) => name.includes(part)))
      : mutants;
    const used = new Set(wanted.flatMap((m) => [...m.instruments, ...(m.coveredBy?.instruments ?? [])]));
    const controls: Run[] = [...used].map((name) => ({
      label: `unchanged code, ${name}`,
      expect: "survived",
      run: () => runChange(root, directory, `control ${name}`, {}, [name]),
    }));
    const runs = [...controls, ...wanted.flatMap((mutant) => runsOf(mutant, root, directory))];
    const failures: string[] = [];
    const notes: string[] = [];
    let [count, caughtCount, finished] = [0, 0, 0];
    await inParallel(runs, (run, caught) => {
      finished += 1;
      context.progress(
        `${finished}/${runs.length} ${run.label}: ${caught.state}${caught.by && ` by ${caught.by}`}`,
      );
      if (run.expect === "caught") {
        count += 1;
        if (caught.state === "caught") caughtCount += 1;
        else failures.push(`not caught: ${run.label} (${caught.state} ${caught.why})`);
      } else if (caught.state !== "survived")
        failures.push(
          controls.includes(run)
            ? `${run.label} fails (${caught.by}: ${caught.why})`
            : `${caught.state}, but listed as redundant: ${run.label} (${caught.by}: ${caught.why})`,
        );
    });
    notes.push(`${caughtCount} of ${count} mutants caught`);
    for (const { name, coveredBy } of wanted)
      if (coveredBy !== undefined) notes.push(`redundant: ${name}; covered by ${coveredBy.what}`);
    return outcome({ mutants: count, mutantsCaught: caughtCount }, failures, { notes });
  },
};
