import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultyFileSystem } from "@ckpt/conformance";
import { type FileHandle, type FileSystem, nodeFileSystem, type OpenOptions } from "@ckpt/io";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { propertyRuns } from "./property-runs.js";

/** One side of the comparison: a file system, the directory that is its world, and the handles open in it. */
interface Side {
  readonly fs: FileSystem;
  readonly root: string;
  readonly handles: (FileHandle | undefined)[];
}

type Step = (side: Side) => Promise<unknown>;

const names = fc.constantFrom("a", "b", "c", "link", "loop", "x".repeat(255), "y".repeat(256), "nul\0", "ü");
const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const at = (side: Side, name: string) => `${side.root}/${name}`;
const slot = fc.integer({ min: 0, max: 3 });
const bytes = fc.uint8Array({ maxLength: 40 });
const position = fc.integer({ min: 0, max: 60 });
const options: fc.Arbitrary<OpenOptions> = fc.record(
  {
    access: fc.constantFrom("read", "write", "readWrite"),
    create: fc.constantFrom("never", "exclusive", "ifMissing"),
    dsync: fc.boolean(),
    mode: fc.constantFrom(0o600, 0o640),
  },
  { requiredKeys: ["access", "create"] },
);

const onHandle =
  (index: number, step: (handle: FileHandle) => Promise<unknown>): Step =>
  async ({ handles }) => {
    const handle = handles[index];
    return handle === undefined ? "no handle" : step(handle);
  };

const steps: fc.Arbitrary<{ name: string; step: Step }> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(path, options, slot).map(([p, o, i]) => ({
      name: `open ${p} ${JSON.stringify(o)} as ${i}`,
      step: async (side: Side) => {
        const handle = await side.fs.open(at(side, p), o);
        await side.handles[i]?.close();
        side.handles[i] = handle;
        return "opened";
      },
    })),
  },
  path.map((p) => ({
    name: `stat ${p}`,
    step: async (side: Side) => {
      const stat = await side.fs.stat(at(side, p));
      return stat && { kind: stat.kind, mode: stat.mode, size: stat.kind === "directory" ? 0 : stat.size };
    },
  })),
  path.map((p) => ({ name: `readdir ${p}`, step: (side: Side) => side.fs.readdir(at(side, p)) })),
  {
    weight: 2,
    arbitrary: path.map((p) => ({
      name: `mkdir ${p}`,
      step: (side: Side) => side.fs.mkdir(at(side, p), 0o700),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(path, path).map(([p, q]) => ({
      name: `rename ${p} ${q}`,
      step: (side: Side) => side.fs.rename(at(side, p), at(side, q)),
    })),
  },
  fc.tuple(path, path).map(([p, q]) => ({
    name: `link ${p} ${q}`,
    step: (side: Side) => side.fs.link(at(side, p), at(side, q)),
  })),
  path.map((p) => ({ name: `unlink ${p}`, step: (side: Side) => side.fs.unlink(at(side, p)) })),
  path.map((p) => ({ name: `rmdir ${p}`, step: (side: Side) => side.fs.rmdir(at(side, p)) })),
  path.map((p) => ({ name: `syncDirectory ${p}`, step: (side: Side) => side.fs.syncDirectory(at(side, p)) })),
  path.map((p) => ({
    name: `realpath ${p}`,
    step: async (side: Side) => (await side.fs.realpath(at(side, p))).slice(side.root.length),
  })),
  path.map((p) => ({
    name: `freeBytes ${p}`,
    step: async (side: Side) => void (await side.fs.freeBytes(at(side, p))),
  })),
  {
    weight: 3,
    arbitrary: fc.tuple(slot, fc.array(bytes, { maxLength: 3 }), position).map(([i, b, where]) => ({
      name: `write ${i} ${b.map((x) => x.length)} at ${where}`,
      step: onHandle(i, (handle) => handle.write(b, where)),
    })),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(slot, fc.integer({ min: 0, max: 50 }), position).map(([i, length, where]) => ({
      name: `read ${i} ${length} at ${where}`,
      step: onHandle(i, async (handle) => {
        const buffer = new Uint8Array(52);
        return [await handle.read(buffer, 1, length, where), [...buffer]];
      }),
    })),
  },
  fc.tuple(slot, position).map(([i, length]) => ({
    name: `truncate ${i} ${length}`,
    step: onHandle(i, (h) => h.truncate(length)),
  })),
  slot.map((i) => ({ name: `sync ${i}`, step: onHandle(i, (h) => h.sync()) })),
  slot.map((i) => ({ name: `datasync ${i}`, step: onHandle(i, (h) => h.datasync()) })),
  slot.map((i) => ({
    name: `fstat ${i}`,
    step: onHandle(i, async (h) => {
      const { kind, mode, size } = await h.stat();
      return { kind, mode, size: kind === "directory" ? 0 : size };
    }),
  })),
  slot.map((i) => ({ name: `lock ${i}`, step: onHandle(i, (h) => h.tryLock()) })),
  slot.map((i) => ({ name: `close ${i}`, step: onHandle(i, (h) => h.close()) })),
);

async function outcome(step: Step, side: Side): Promise<unknown> {
  try {
    return { value: (await step(side)) ?? null };
  } catch (error) {
    return { errno: (error as NodeJS.ErrnoException).code };
  }
}

let base: string;
let umask: number;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "ckpt-model-"));
  umask = process.umask(0o022);
});
afterAll(async () => {
  process.umask(umask);
  await rm(base, { recursive: true, force: true });
});

// The model is of Linux; other systems have other errno in places.
describe.runIf(process.platform === "linux")(
  "the faulty file system without faults",
  { timeout: 600_000 },
  () => {
    it("gives the same results and the same errno as the real one, over random calls", async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 40 }), async (list) => {
          const root = join(base, String(run++));
          const faulty = new FaultyFileSystem();
          await nodeFileSystem.mkdir(root, 0o700);
          await faulty.mkdir("/world", 0o700);
          const real: Side = { fs: nodeFileSystem, root, handles: [] };
          const model: Side = { fs: faulty, root: "/world", handles: [] };
          for (const { root: world } of [real, model]) await plant(faulty, world, world === root);
          try {
            for (const { name, step } of list) {
              expect([name, await outcome(step, model)]).toEqual([name, await outcome(step, real)]);
            }
          } finally {
            for (const handle of [...real.handles, ...model.handles]) await handle?.close();
            await rm(root, { recursive: true, force: true });
          }
        }),
        propertyRuns(),
      );
    });
  },
);

async function plant(faulty: FaultyFileSystem, root: string, isReal: boolean): Promise<void> {
  for (const [name, target] of [
    ["link", "a"],
    ["loop", "loop"],
  ] as const) {
    if (isReal) await symlink(target, `${root}/${name}`);
    else faulty.plantSymlink(`${root}/${name}`, target);
  }
}
