import { encodeFrame, FRAME_HEADER_BYTES, FrameLog, scanFrames, scanRecords } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { collect } from "./support/collect.js";
import { MemoryFile } from "./support/memory-file.js";
import { fc, propertyOptions } from "./support/property.js";

interface Frame {
  readonly offset: number;
  readonly end: number;
  readonly acked: number;
}

/** A log written by FrameLog: each inner array is appended at once. Bodies named "self" hold the log's own bytes so far. */
async function buildLog(commits: readonly (readonly (Uint8Array | "self")[])[], fragmentBytes: number) {
  const file = new MemoryFile();
  const log = await FrameLog.create(file.path, { fs: file.asFileSystem(), fragmentBytes, preallocate: 512 });
  const bodies: Uint8Array[] = [];
  for (const commit of commits) {
    const batch = commit.map((body) =>
      body === "self" ? Buffer.from(file.bytes.subarray(0, log.size)) : body,
    );
    bodies.push(...batch);
    await Promise.all(batch.map((body) => log.append({ kind: 1, body })));
  }
  const frames: Frame[] = [];
  for (const item of await collect(scanFrames(file))) {
    if (item.type !== "frame") throw new Error(`a clean log has a bad region at ${item.start}`);
    frames.push({ offset: item.offset, end: item.end, acked: item.acked });
  }
  return { file, log, bodies, frames };
}

/** What a scan must report, by the rule in words: computed from the frames that the mutation left whole. */
function expected(frames: readonly Frame[], before: Buffer, after: Buffer): unknown[] {
  const isIntact = (f: Frame) =>
    f.end <= after.length && before.subarray(f.offset, f.end).equals(after.subarray(f.offset, f.end));
  const items: unknown[] = [];
  for (let i = 0; i < frames.length; ) {
    const frame = frames[i]!;
    if (isIntact(frame)) {
      items.push({ type: "frame", offset: frame.offset });
      i++;
      continue;
    }
    if (frame.offset >= after.length) return items; // cut off at a frame's end, or before it
    if (after.subarray(frame.offset).every((byte) => byte === 0)) return items;
    let j = i;
    while (j < frames.length && !isIntact(frames[j]!)) j++;
    if (!frames.slice(j).some((f) => isIntact(f) && f.acked > frame.offset)) {
      return [...items, { type: "bad", reason: "torn", start: frame.offset, end: after.length }];
    }
    items.push({ type: "bad", reason: "damaged", start: frame.offset, end: frames[j]!.offset });
    i = j;
  }
  const end = frames.at(-1)?.end ?? 0;
  if (after.subarray(end).some((byte) => byte !== 0)) {
    items.push({ type: "bad", reason: "torn", start: end, end: after.length });
  }
  return items;
}

const body = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 120 }) },
  { weight: 1, arbitrary: fc.constant("self" as const) },
  { weight: 1, arbitrary: fc.constant(Buffer.from("CKPFCKPFCKPF".repeat(8))) },
);
const mutation = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("zero" as const), at: fc.nat(), length: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constant("fill" as const), at: fc.nat(), length: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  let result = Buffer.from(bytes);
  for (const m of mutations) {
    if (result.length === 0) break;
    const at = m.at % result.length;
    if (m.kind === "flip") result[at] = result[at]! ^ (1 << m.bit);
    else if (m.kind === "cut") result = result.subarray(0, at);
    else result.fill(m.kind === "zero" ? 0 : 0x43, at, Math.min(at + m.length, result.length));
  }
  return result;
}

describe("scanFrames", () => {
  it("gives back exactly what is intact after any damage, and classifies the rest", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(body, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(16, 64, 1024),
        fc.constantFrom(64, 200, 1024 * 1024),
        async (commits, mutations, fragmentBytes, blockBytes) => {
          const { file, frames } = await buildLog(commits, fragmentBytes);
          const after = mutate(file.bytes, mutations);
          const items = (await collect(scanFrames(new MemoryFile(after), { blockBytes }))).map((item) =>
            item.type === "frame" ? { type: "frame", offset: item.offset } : item,
          );
          expect(items).toEqual(expected(frames, file.bytes, after));
        },
      ),
      propertyOptions(),
    );
  });

  it("gives every record back from an undamaged log, closed or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(body, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
        fc.constantFrom(16, 1024),
        fc.boolean(),
        async (commits, fragmentBytes, close) => {
          const { file, log, bodies } = await buildLog(commits, fragmentBytes);
          if (close) await log.close();
          const records = await collect(scanRecords(file));
          expect(records.map((r) => r.type === "record" && r.bodyBytes)).toEqual(bodies.map((b) => b.length));
          expect(records.every((r) => r.type === "record" && r.link === "continues")).toBe(true);
          const heads = bodies.map((b) => Buffer.from(b.subarray(0, fragmentBytes)));
          expect(records.map((r) => r.type === "record" && Buffer.from(r.head))).toEqual(heads);
          if (close) expect(file.bytes.length).toBe(records.at(-1)?.end ?? 0);
        },
      ),
      propertyOptions(100),
    );
  });

  it("takes a record whose middle is damaged for none, and says which of its fragments are left", async () => {
    const { file, frames } = await buildLog(
      [[Buffer.alloc(50, 1)], [Buffer.from("after")], [Buffer.from("last")]],
      16,
    );
    const bytes = Buffer.from(file.bytes);
    bytes[frames[1]!.offset + 5] = 9;
    const [a, b, c] = frames;
    const items = await collect(scanRecords(new MemoryFile(bytes)));
    expect(items).toMatchObject([
      { type: "incomplete", reason: "cut", start: a!.offset, end: a!.end },
      { type: "bad", reason: "damaged", start: b!.offset, end: b!.end },
      { type: "incomplete", reason: "headless", start: c!.offset, end: c!.end },
      { type: "incomplete", reason: "headless", start: frames[3]!.offset },
      { type: "record", bodyBytes: 5, fragments: 1, link: "continues" },
      { type: "record", bodyBytes: 4 },
    ]);
  });

  it("calls what a recorded head says was acknowledged damaged, where frames alone would say torn", async () => {
    const { file, frames } = await buildLog([[Buffer.from("one")], [Buffer.from("two")]], 1024);
    const [, last] = frames;
    const bytes = Buffer.from(file.bytes);
    bytes[last!.end - 1] = bytes[last!.end - 1]! ^ 1;
    const torn = await collect(scanFrames(new MemoryFile(bytes)));
    expect(torn[1]).toMatchObject({ type: "bad", reason: "torn", start: last!.offset });
    const known = await collect(scanFrames(new MemoryFile(bytes), { knownAckedBytes: last!.end }));
    expect(known[1]).toMatchObject({ type: "bad", reason: "damaged", start: last!.offset });
  });

  it("reports what a recorded head says was there and is cut off, at a frame's end or in zeros", async () => {
    const { file, frames } = await buildLog([[Buffer.from("one")], [Buffer.from("two")]], 1024);
    const [first, last] = frames;
    const cut = new MemoryFile(file.bytes.subarray(0, first!.end));
    const missing = { type: "bad", reason: "damaged", start: first!.end, end: last!.end };
    expect((await collect(scanFrames(cut, { knownAckedBytes: last!.end }))).at(-1)).toEqual(missing);
    expect(await collect(scanFrames(cut))).toHaveLength(1);
    const zeroed = Buffer.from(file.bytes);
    zeroed.fill(0, first!.end);
    const items = await collect(scanFrames(new MemoryFile(zeroed), { knownAckedBytes: last!.end }));
    expect(items.at(-1)).toMatchObject({ type: "bad", reason: "damaged", start: first!.end });
  });

  it("notices that an intact frame was taken out of the chain", async () => {
    const make = (kind: number, offset: number, previousChain?: Uint8Array) =>
      encodeFrame({
        kind,
        offset,
        body: Buffer.from("same length"),
        ...(previousChain && { previousChain }),
      });
    const a = make(1, 0);
    const b = make(2, a.bytes.length, a.chain);
    const forged = make(3, a.bytes.length, Buffer.alloc(16, 5));
    const links = async (...frames: Buffer[]) =>
      (await collect(scanFrames(new MemoryFile(Buffer.concat(frames))))).map(
        (f) => f.type === "frame" && f.link,
      );
    expect(await links(a.bytes, b.bytes)).toEqual(["continues", "continues"]);
    expect(await links(a.bytes, forged.bytes)).toEqual(["continues", "broken"]);
  });

  it("is not led into a damaged body by a frame forged for that very place", async () => {
    const before = encodeFrame({ kind: 1, body: Buffer.from("before") });
    const outer = before.bytes.length;
    const filler = Buffer.alloc(50, 1);
    const forged = encodeFrame({
      offset: outer + FRAME_HEADER_BYTES + 50,
      kind: 66,
      body: Buffer.from("forged"),
    });
    const holder = encodeFrame({
      offset: outer,
      kind: 2,
      previousChain: before.chain,
      body: Buffer.concat([filler, forged.bytes, filler]),
    });
    const end = outer + holder.bytes.length;
    const after = encodeFrame({
      offset: end,
      kind: 3,
      acked: end,
      previousChain: holder.chain,
      body: Buffer.from("after"),
    });
    const bytes = Buffer.concat([before.bytes, holder.bytes, after.bytes]);
    bytes[outer + FRAME_HEADER_BYTES] = 2; // damage in the body, before the forged frame
    const items = await collect(scanFrames(new MemoryFile(bytes)));
    expect(items).toMatchObject([
      { kind: 1 },
      { type: "bad", reason: "damaged", start: outer, end },
      { kind: 3 },
    ]);
  });

  it("sees no damage where the writer goes on between two reads", async () => {
    const { file, frames } = await buildLog(
      Array.from({ length: 40 }, (_, i) => [Buffer.alloc(100 + i, i + 1)]),
      1024,
    );
    for (const blockBytes of [512, 1000, 2000, 3000]) {
      for (const known of [3, 7, 12, 19]) {
        // At the first reads only `known` frames were there; then the writer wrote the others.
        for (const reads of [1, 2, 3]) {
          let left = reads;
          const handle = Object.create(file, {
            read: {
              value: async (bytes: Buffer, offset: number, length: number, position: number) => {
                const n = await file.read(bytes, offset, length, position);
                const written = frames[known]!.offset - position;
                if (left-- > 0 && written < n) bytes.fill(0, offset + Math.max(0, written), offset + n);
                return n;
              },
            },
          }) as typeof file;
          const items = await collect(scanFrames(handle, { blockBytes }));
          const offsets = items.map((item) => (item.type === "frame" ? item.offset : item));
          expect(offsets).toEqual(frames.slice(0, items.length).map((frame) => frame.offset));
          expect(items.length).toBeGreaterThanOrEqual(known);
        }
      }
    }
  });

  it("begins in the middle with the chain that it is given", async () => {
    const { file, frames, log } = await buildLog([[Buffer.from("one")], [Buffer.from("two")]], 1024);
    const from = frames[1]!.offset;
    const [unknown] = await collect(scanFrames(file, { from }));
    expect(unknown).toMatchObject({ offset: from, link: "unknown" });
    const first = (await collect(scanFrames(file)))[0]!;
    const [linked] = await collect(scanFrames(file, { from, chain: (first as { chain: Uint8Array }).chain }));
    expect(linked).toMatchObject({ link: "continues", chain: log.lastChain });
  });

  it("bounds its work on bytes made to look like a million frames, and reports them", async () => {
    const bytes = Buffer.alloc(24 * 1024 * 1024, "CKPF");
    for (let at = 0; at + FRAME_HEADER_BYTES < bytes.length; at += FRAME_HEADER_BYTES) {
      bytes.writeUInt32LE(Math.min(16 * 1024 * 1024, bytes.length - at - FRAME_HEADER_BYTES), at + 4);
      bytes.writeUInt16LE(3, at + 10);
      bytes.fill(0, at + 12, at + 20);
    }
    const items = await collect(scanFrames(new MemoryFile(bytes)));
    expect(items).toEqual([{ type: "bad", reason: "damaged", start: 0, end: bytes.length }]);
  });
});
