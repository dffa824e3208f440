import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CkptError } from "@ckpt/errors";
import { ensureDirectory, writeAtomic } from "@ckpt/io";
import { z } from "zod";
import { type Layout, layout } from "../shared/layout.js";
import type { Flags } from "./flags.js";

const RunRecord = z.object({
  format: z.literal(1),
  folder: z.string(),
  mailbox: z.string(),
  seed: z.number().int(),
  startedAt: z.iso.datetime(),
});
type RunRecord = z.infer<typeof RunRecord>;

/** A run that is about to start or to go on. */
export interface Run {
  readonly paths: Layout;
  readonly record: RunRecord;
  readonly resumed: boolean;
}

export interface RunDefaults {
  /** Where runs are kept when `--store` is not given. */
  readonly runsDirectory: string;
  readonly folder: string;
  readonly seed: number;
}

/**
 * A new run in a new or empty directory, or with `--resume` the one that is there. A directory with anything else in it is
 * refused with `CKPT_CONFLICT`: the demo writes only where it made the place.
 */
export async function openRun(flags: Flags, defaults: RunDefaults): Promise<Run> {
  return flags.resume ? await resumeRun(flags, defaults) : await startRun(flags, defaults);
}

async function startRun(flags: Flags, defaults: RunDefaults): Promise<Run> {
  const startedAt = new Date().toISOString();
  const name = `${startedAt.slice(0, 19).replaceAll(":", "-")}-${process.pid}`;
  const directory = resolve(flags.store ?? join(defaults.runsDirectory, name));
  const entries = await namesIn(directory);
  if (entries.length > 0) {
    const isRun = entries.includes("run.json");
    throw new CkptError("CKPT_CONFLICT", {
      message: isRun ? `${directory} holds a run already.` : `${directory} is not empty.`,
      hint: isRun
        ? "Add --resume to go on with it, or name another --store."
        : "Name a new or empty directory.",
      details: { directory },
    });
  }
  // Node's own recursive mkdir never ends below /proc, where a parent is there and takes nothing.
  await ensureDirectory(directory);
  const paths = layout(directory);
  const record: RunRecord = {
    format: 1,
    folder: resolve(flags.folder ?? defaults.folder),
    mailbox: resolve(flags.mailbox ?? paths.mailbox),
    seed: flags.seed ?? defaults.seed,
    startedAt,
  };
  await writeAtomic(paths.record, Buffer.from(`${JSON.stringify(record, null, 2)}\n`));
  return { paths, record, resumed: false };
}

async function resumeRun(flags: Flags, { runsDirectory }: RunDefaults): Promise<Run> {
  const newest = (await namesIn(runsDirectory)).sort().at(-1);
  const directory = flags.store ?? (newest === undefined ? undefined : join(runsDirectory, newest));
  if (directory === undefined) throw nothingToResume(runsDirectory);
  const paths = layout(resolve(directory));
  const text = await readFile(paths.record, "utf8").catch((cause: unknown) => {
    throw nothingToResume(paths.directory, cause);
  });
  const record = parseRecord(text, paths.record);
  const { folder, mailbox, seed } = flags;
  return {
    paths,
    record: {
      ...record,
      ...(folder === undefined ? {} : { folder: resolve(folder) }),
      ...(mailbox === undefined ? {} : { mailbox: resolve(mailbox) }),
      ...(seed === undefined ? {} : { seed }),
    },
    resumed: true,
  };
}

function parseRecord(text: string, path: string): RunRecord {
  try {
    return RunRecord.parse(JSON.parse(text));
  } catch (cause) {
    throw new CkptError("CKPT_CORRUPT", {
      message: `${path} is not the record of a run.`,
      hint: "Name the directory of a run with --store.",
      cause,
      details: { path },
    });
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new CkptError(code === "ENOTDIR" ? "CKPT_INVALID_ARGUMENT" : "CKPT_IO", {
      message: `${directory} cannot be read as a directory.`,
      hint: "Name another directory with --store.",
      cause: error,
      details: { directory },
    });
  }
}

const nothingToResume = (directory: string, cause?: unknown): CkptError =>
  new CkptError("CKPT_NOT_FOUND", {
    message: `There is no run to resume in ${directory}.`,
    hint: "Start one without --resume, or name its directory with --store.",
    cause,
    details: { directory },
  });
