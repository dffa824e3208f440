/** Processes that stop at the worst moment, and go on when others have done what they do in the meantime. */
import { Ledger } from "@ckpt/conformance/explore";
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { isCkptError } from "@ckpt/errors";
import { acquireLease, type FileSystem, type OpenOptions } from "@ckpt/io";
import { type Instrument, openOn, put, remove } from "../bench.js";
import { delayed } from "./delayed.js";
import { afterwards } from "./processes.js";

/** A gate that calls stop at: `reached` resolves when one does, `open` lets it go on. */
function gate() {
  const made: { open?: () => void; reach?: () => void } = {};
  const opened = new Promise<void>((resolve) => {
    made.open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    made.reach = resolve;
  });
  const stop = () => {
    made.reach?.();
    return opened;
  };
  return { stop, reached, open: () => made.open?.() };
}

interface Stops {
  beforeOpen?(path: string, options: OpenOptions): Promise<void> | undefined;
  beforeLink?(to: string): Promise<void> | undefined;
  beforeSyncDirectory?(path: string): Promise<void> | undefined;
}

function stopping(fs: FileSystem, { beforeOpen, beforeLink, beforeSyncDirectory }: Stops): FileSystem {
  return {
    ...delayed(fs, { below: () => 0 }, 0),
    open: async (path, options) => {
      await beforeOpen?.(path, options);
      return fs.open(path, options);
    },
    link: async (from, to) => {
      await beforeLink?.(to);
      return fs.link(from, to);
    },
    syncDirectory: async (path) => {
      await beforeSyncDirectory?.(path);
      return fs.syncDirectory(path);
    },
  };
}

/**
 * Without system locks: one lists the leases and stops; others take and give back the lease until what it was about to claim has been cleaned
 * away and is free again, and one of them keeps it. The late one must notice.
 */
export const lateClaim: Instrument = async (bench) => {
  const disk = new FaultyFileSystem({ locks: false });
  await disk.mkdir("/leases", 0o700);
  const { stop, reached, open } = gate();
  const beforeOpen = (path: string, { create }: OpenOptions) =>
    create === "exclusive" && !path.endsWith("lock") ? stop() : undefined;
  const late = acquireLease("/leases", { fs: bench.weaken(stopping(disk.process(), { beforeOpen })) });
  const settled = late.then(
    ({ epoch }) => epoch,
    () => undefined,
  );
  await reached;
  const fs = bench.weaken(disk.process());
  for (let n = 0; n < 8; n++) await (await acquireLease("/leases", { fs })).release();
  const holder = await acquireLease("/leases", { fs });
  open();
  const epoch = await settled;
  return epoch === undefined ? undefined : `epoch ${epoch} was given while ${holder.epoch} is held`;
};

/**
 * Without system locks: one is about to publish its lease when another publishes one of the same epoch, and sees that it counts. The first
 * goes on before the other has swept its temporary file away.
 */
export const lateLink: Instrument = async (bench) => {
  const disk = new FaultyFileSystem({ locks: false });
  await disk.mkdir("/leases", 0o700);
  const [publishing, sweeping] = [gate(), gate()];
  const beforeLink = (to: string) => (to.endsWith(".lease") ? publishing.stop() : undefined);
  const late = acquireLease("/leases", { fs: bench.weaken(stopping(disk.process(), { beforeLink })) }).then(
    ({ epoch }) => epoch,
    () => undefined,
  );
  await publishing.reached;
  const beforeSyncDirectory = (path: string) => (path === "/leases" ? sweeping.stop() : undefined);
  const holding = acquireLease("/leases", {
    fs: bench.weaken(stopping(disk.process(), { beforeSyncDirectory })),
  });
  await sweeping.reached;
  publishing.open();
  const epoch = await late;
  sweeping.open();
  const holder = await holding;
  return epoch === undefined ? undefined : `epoch ${epoch} was given while ${holder.epoch} is held`;
};

/**
 * A compactor stops right before it publishes. Another one, which should have been kept out, publishes, and dies after the first of the files
 * that it replaced is gone; then the first goes on.
 */
export const latePublisher: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const ledger = new Ledger();
  const { stop, reached, open } = gate();
  const beforeLink = (to: string) => (to.includes("/manifests/") ? stop() : undefined);
  const dying = disk.process();
  const late = ledger.watch(await openOn(bench, stopping(disk.process(), { beforeLink })));
  const other = ledger.watch(await bench.open(dying));
  for (const [agentId, store] of [["a", late] as const, ["b", other] as const]) {
    await store.acquire(agentId);
    for (let n = 1; n <= 24; n++) await store.commit([put(agentId, n)]);
    await store.commit([remove(agentId, `${agentId}:1`, `${agentId}:2`)]);
  }
  const compacting = late.compact().catch((error: unknown) => {
    if (!isCkptError(error)) throw error;
  });
  await reached;
  let unlinked = 0;
  dying.observe(({ kind, path }) => {
    if (kind === "unlink" && path.endsWith(".seg") && ++unlinked === 2) dying.killProcess();
  });
  await other.compact().catch((error: unknown) => {
    if (!isCkptError(error)) throw error;
  });
  dying.killProcess();
  open();
  await compacting;
  await late.close();
  await other.close().catch(() => undefined);
  return afterwards(bench, disk, ledger, { a: 24, b: 24 });
};

/** A reader is about to open a segment for the n-th time when compaction takes it away: it finds the checkpoint where it is now. */
export const lateReader: Instrument = async (bench) => {
  for (let nth = 1; nth <= 4; nth++) {
    const disk = new FaultyFileSystem();
    const writer = await bench.open(disk.process());
    await writer.acquire("a");
    for (let n = 1; n <= 12; n++) await writer.commit([put("a", n)]);
    let left = Number.POSITIVE_INFINITY;
    const beforeOpen = (path: string) =>
      path.endsWith(".seg") && --left === 0 ? writer.compact().then(() => undefined) : undefined;
    const reader = await openOn(bench, stopping(disk.process(), { beforeOpen }));
    await reader.list("a");
    await writer.commit([remove("a", "a:1"), put("a", 13)]);
    left = nth;
    for (const id of ["a:2", "a:9", "a:12"]) {
      const failed = await reader.load("a", id).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      if (failed !== undefined) return `opening ${nth}: ${id}: ${failed}`;
    }
    const [finding] = reader.takeFindings();
    if (finding !== undefined) return `opening ${nth}: the reader was told: ${finding.message}`;
    await writer.close();
    await reader.close();
  }
  return undefined;
};
