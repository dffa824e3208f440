import { join, resolve } from "node:path";
import { DiskStore } from "@ckpt/disk";
import { CkptError } from "@ckpt/errors";
import { writeAtomic } from "@ckpt/io";
import { Mailbox } from "../agent/mailbox.js";
import { endpointModel } from "../model/endpoint.js";
import type { Layout } from "../shared/layout.js";
import type { Orders } from "../shared/protocol.js";
import { Sandbox } from "../tools/sandbox.js";
import { audit, bytesUnder, wholeStateBytes } from "./audit.js";
import { firstBatch } from "./first-batch.js";
import type { Flags } from "./flags.js";
import { type EndReason, killLoop } from "./kill-loop.js";
import { killPlan } from "./kill-plan.js";
import { Ledger } from "./ledger.js";
import { Narrator } from "./narrator.js";
import { openRun, type Run, type RunDefaults } from "./run-record.js";
import type { StatusLine } from "./status-line.js";
import type { Summary } from "./summary.js";

const STEPS_PER_TASK = 6;

export interface DemoOptions {
  readonly flags: Flags;
  readonly defaults: RunDefaults & { readonly kills: number };
  /** The agent's program, run as a child process. */
  readonly program: string;
  readonly line: StatusLine;
  /** Ends the run with a final checkpoint. */
  readonly signal: AbortSignal;
  /** Told where the run is kept, before anything happens in it. */
  readonly onOpened: (paths: Layout) => void;
  /** How long the scripted model takes for an answer, in milliseconds. */
  readonly latencyMs: Orders["latencyMs"];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface DemoResult {
  readonly summary: Summary;
  readonly paths: Layout;
}

/** One run: tasks into the mailbox, the agent killed and started again until it is done, then the books are checked. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { flags, defaults, line, signal } = options;
  // Wrong settings of the endpoint are the user's to know before anything is made.
  endpointModel(options.env);
  const folder = await openFolder(flags.folder ?? defaults.folder);
  if (flags.mailbox !== undefined && !flags.resume) await requireTasks(resolve(flags.mailbox));
  const run = await openRun(flags, defaults);
  const { paths, record } = run;
  options.onOpened(paths);
  const waiting = await fillMailbox(run, folder);
  const expected = Math.min(flags.steps ?? Number.POSITIVE_INFINITY, waiting * STEPS_PER_TASK);
  const kills = flags.kills ?? defaults.kills;
  const ledger = new Ledger();
  const narrator = new Narrator(line);
  const toLoad = new Set<string>();
  const lost = new Set<string>();
  const startedAt = performance.now();
  line.event(`RUN      ${paths.directory}, folder ${record.folder}, seed ${record.seed}`);
  const ended = await killLoop({
    program: options.program,
    orders: {
      directory: paths.directory,
      folder: record.folder,
      mailbox: record.mailbox,
      seed: record.seed,
      maxSteps: flags.steps ?? null,
      latencyMs: options.latencyMs,
    },
    plan: killPlan(kills, record.seed, expected),
    ledger,
    signal,
    onLine: (event) => {
      if (event.type === "ack") toLoad.add(event.checkpointId);
      narrator.see(event);
    },
    onKilled: async (recovery) => {
      const found = await auditStore(paths, ledger, toLoad);
      for (const item of found.lost) lost.add(item);
      toLoad.clear();
      narrator.killed(recovery, found);
    },
  });
  const runMs = performance.now() - startedAt;
  line.event("CHECK    reading every acknowledged checkpoint back from the store");
  const summary = await settle({ ended, run, ledger, lost, runMs, killsPlanned: kills });
  line.end();
  await writeAtomic(paths.summary, Buffer.from(`${JSON.stringify(summary, null, 2)}\n`));
  return { summary, paths };
}

/** A new run's own mailbox gets a first batch; one that was given is only read. Returns how many tasks wait there. */
async function fillMailbox({ record, resumed, paths }: Run, folder: Sandbox): Promise<number> {
  const mailbox = new Mailbox(record.mailbox);
  const isOwn = record.mailbox === paths.mailbox;
  if (isOwn) await mailbox.open();
  const present = await mailbox.collect(new Set());
  if (resumed || !isOwn || present.length > 0) return present.length;
  const letters = await firstBatch(folder, record.seed);
  for (const { name, text } of letters)
    await writeAtomic(join(record.mailbox, name), Buffer.from(`${text}\n`));
  return letters.length;
}

/** A mailbox that was given has to hold tasks: looked at before anything is made, so that the same command can be given again. */
async function requireTasks(mailbox: string): Promise<void> {
  const present = await new Mailbox(mailbox).collect(new Set()).catch((cause: unknown) => {
    throw unusable(cause instanceof Error ? cause.message : String(cause), mailbox, cause);
  });
  if (present.length === 0) throw unusable(`--mailbox ${mailbox} holds no tasks.`, mailbox);
}

function openFolder(folder: string): Promise<Sandbox> {
  return Sandbox.open(folder).catch((cause: unknown) => {
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `--folder ${folder} is no directory that can be read.`,
      hint: "Name one that is there.",
      cause,
      details: { folder },
    });
  });
}

const unusable = (message: string, mailbox: string, cause?: unknown): CkptError =>
  new CkptError("CKPT_INVALID_ARGUMENT", {
    message,
    hint: "Put a text file into it for each task, or leave --mailbox out: the demo has tasks of its own.",
    cause,
    details: { mailbox },
  });

async function auditStore(paths: Layout, ledger: Ledger, toLoad: ReadonlySet<string>) {
  const store = new DiskStore(paths.checkpoints);
  try {
    return await audit(store, ledger.acks, toLoad);
  } finally {
    await store.close();
  }
}

interface Books {
  readonly ended: EndReason;
  readonly run: Run;
  readonly ledger: Ledger;
  readonly lost: ReadonlySet<string>;
  readonly runMs: number;
  readonly killsPlanned: number;
}

async function settle({ ended, run, ledger, lost, runMs, killsPlanned }: Books): Promise<Summary> {
  const { paths, record } = run;
  const store = new DiskStore(paths.checkpoints);
  try {
    // All writers are dead or done: their files are folded into few, and then every checkpoint must still be there.
    const bytesOnDiskBeforeCompaction = await bytesUnder(paths.checkpoints);
    await store.compact();
    const found = await audit(store, ledger.acks, new Set(ledger.acks.keys()));
    const whole = await wholeStateBytes(store);
    const allLost = [...new Set([...lost, ...ledger.lost, ...found.lost])];
    const saves = ledger.steps.map((step) => step.saveMs).sort((a, b) => a - b);
    const last = ledger.steps.at(-1);
    return {
      ended,
      model: ledger.model,
      seed: record.seed,
      steps: ledger.steps.length,
      tasksDone: last?.tasksDone ?? 0,
      tasksWaiting: last?.tasksWaiting ?? 0,
      kills: ledger.recoveries.length,
      killsPlanned,
      acknowledged: ledger.acks.size,
      verified: found.loaded,
      lostAcknowledgedSteps: allLost.length,
      lost: allLost,
      repeatedTasks: ledger.repeated.length,
      driftEpisodes: ledger.drifts.length,
      rollbacks: ledger.rollbacks.length,
      guardsUndone: ledger.guards.filter((guard) => guard.outcome === "undone").length,
      guardsCompleted: ledger.guards.filter((guard) => guard.outcome === "completed").length,
      bytesOnDiskBeforeCompaction,
      bytesOnDisk: await bytesUnder(paths.checkpoints),
      wholeStateJsonBytes: whole.sum,
      finalStateJsonBytes: whole.last,
      runMs,
      checkpointMs: saves.reduce((sum, ms) => sum + ms, 0),
      medianSaveMs: saves[Math.floor(saves.length / 2)] ?? 0,
      recoverMs: ledger.recoveries.flatMap(({ recoverMs }) => (recoverMs === undefined ? [] : [recoverMs])),
      reportPath: paths.report,
      storePath: paths.checkpoints,
    };
  } finally {
    await store.close();
  }
}
