/** The recorded heads: what closed stores recorded is still known after a power cut, and a full disk can still shrink. */
import { FaultyFileSystem } from "@ckpt/conformance/faulty-fs";
import { type Bench, findingsOf, type Instrument, openOn, put, remove, type Verdict } from "../bench.js";
import { filesBelow, writeFile } from "./disk-files.js";

async function closedStore(bench: Bench): Promise<FaultyFileSystem> {
  const disk = new FaultyFileSystem();
  const store = await bench.open(disk);
  await store.acquire("a");
  for (let n = 1; n <= 20; n++) await store.commit([put("a", n)]);
  await store.close();
  return disk.powerCut({ mode: "strict" });
}

/** Save, close, power cut; then a segment goes missing or is cut at a record: noticed, by the recorded head alone. */
export const heads: Instrument = async (bench) => {
  const disk = await closedStore(bench);
  const image = disk.image();
  for (const [path, bytes] of await filesBelow(disk, "/store")) {
    if (!path.endsWith(".seg")) continue;
    for (const keep of [0, 0.3, 0.8]) {
      const broken = new FaultyFileSystem({ image });
      const length = bytes.lastIndexOf("CKPF", Math.floor(bytes.length * keep));
      if (keep === 0) await broken.unlink(path);
      else await writeFile(broken, path, bytes.subarray(0, length));
      const hint = path.replace(/\.seg$/, ".hint");
      if ((await broken.stat(hint)) !== undefined) await broken.unlink(hint);
      const store = await bench.open(broken);
      const there = new Set((await store.list("a")).map(({ id }) => id));
      const named = new Set<string>();
      for await (const finding of store.verify()) for (const id of finding.affectedIds) named.add(id);
      for (let n = 1; n <= 20; n++)
        if (!there.has(`a:${n}`) && !named.has(`a:${n}`))
          return `${path} cut to ${keep === 0 ? "nothing" : length}: a:${n} is gone without a word`;
      await store.close();
    }
  }
  return undefined;
};

/** On a full disk a save is refused, and a removal and a compaction still find room. */
export const fullDisk: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const store = await openOn(bench, disk, { reserveBytes: 65_536 });
  await store.acquire("a");
  for (let n = 1; n <= 10; n++) await store.commit([put("a", n)]);
  disk.setLimits({ maxBytes: disk.usedBytes });
  let n = 11;
  for (; n < 60; n++) {
    const failed = await store.commit([put("a", n, n, 3000)]).then(
      () => false,
      () => true,
    );
    if (failed) break;
  }
  if (n === 60) return "the disk never filled up";
  try {
    await store.commit([remove("a", ...Array.from({ length: 8 }, (_, i) => `a:${i + 1}`))]);
  } catch (error) {
    return `nothing can be removed from a full disk: ${String(error)}`;
  }
  await store.close().catch(() => undefined);
  return undefined;
};

/** A sequence that was recorded stays used, also where the segment that held it is gone. */
export const reused: Instrument = async (bench) => {
  const disk = await closedStore(bench);
  for (const path of (await filesBelow(disk, "/store")).keys())
    if (path.endsWith(".seg") || path.endsWith(".hint")) await disk.unlink(path);
  const store = await bench.open(disk);
  await store.acquire("a");
  const again = await store.commit([put("a", 20, 999)]).then(
    () => true,
    () => false,
  );
  await store.close();
  return again ? "sequence 20 was given to another state" : undefined;
};

/** A deleted segment is named until repair has written the loss down, whatever others compact meanwhile; its sequences stay used for ever. */
async function missingWithout(bench: Bench, gone: RegExp): Promise<Verdict> {
  const disk = await closedStore(bench);
  for (const path of (await filesBelow(disk, "/store")).keys()) if (gone.test(path)) await disk.unlink(path);
  const other = await bench.open(disk.process());
  await other.acquire("b");
  for (let n = 1; n <= 4; n++) await other.commit([put("b", n)]);
  await other.compact();
  await other.close();
  const repairing = await bench.open(disk.process());
  await repairing.agents();
  const named = new Set(repairing.takeFindings().flatMap(({ affectedIds }) => affectedIds));
  for (let n = 1; n <= 20; n++) if (!named.has(`a:${n}`)) return `a:${n} is gone without a word`;
  await repairing.repair();
  await repairing.compact();
  await repairing.close();
  const after = await bench.open(disk.process());
  const [finding] = await findingsOf(after);
  if (finding !== undefined) return `after a repair: ${finding}`;
  await after.acquire("a");
  const again = await after.commit([put("a", 20, 999)]).then(
    () => true,
    () => false,
  );
  await after.close();
  return again ? "sequence 20 was given to another state after a repair" : undefined;
}

export const missing: Instrument = async (bench) => {
  for (const gone of [/\.seg$/, /\.(seg|hint)$/, /\/writers\//]) {
    const verdict = await missingWithout(bench, gone);
    if (verdict !== undefined) return `without ${gone}: ${verdict}`;
  }
  return undefined;
};

/** Half a frame at the end of a living writer's segment is on its way, and no finding. */
export const inFlight: Instrument = async (bench) => {
  const disk = new FaultyFileSystem();
  const writer = await bench.open(disk.process());
  await writer.acquire("a");
  await writer.commit([put("a", 1)]);
  for (const [path, bytes] of await filesBelow(disk, "/store")) {
    if (!path.endsWith(".seg")) continue;
    let end = bytes.length;
    while (bytes[end - 1] === 0) end -= 1;
    const handle = await disk.open(path, { access: "readWrite" });
    await handle.write([Buffer.from("CKPF and more of a frame that is being written")], end);
    await handle.close();
  }
  const reader = await bench.open(disk.process());
  for await (const finding of reader.verify()) return `${finding.kind}: ${finding.message}`;
  await reader.close();
  return undefined;
};
