/** Stored bytes that someone made up, with checksums that are right. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { crc32, encodeFrame, ZERO_CHAIN } from "@ckpt/io";

const WRITER = "0123456789abcdefghjkmnpqrs";
const STORE_ID = "5b0d0a3e-0000-4000-8000-000000000000";
const HASH = "A".repeat(43);

interface Frame {
  readonly kind: number;
  readonly codec?: number;
  readonly body: Uint8Array;
}

/** One made-up store: what its segment holds, and what stands beside it. */
export interface Forgery {
  readonly name: string;
  readonly frames?: readonly Frame[];
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const checked = (line: string): Buffer =>
  Buffer.from(`${line}\n${crc32(Buffer.from(line)).toString(16).padStart(8, "0")}\n`);
const headerFrame = (text: string): Frame => ({ kind: 1, body: Buffer.from(text) });
const goodHeader = headerFrame(
  JSON.stringify({ format: 1, storeId: STORE_ID, writerId: WRITER, number: 1, compacted: false, void: [] }),
);
const commit = (json: string, section: Uint8Array = new Uint8Array(0)): Frame => ({
  kind: 2,
  body: Buffer.concat([section, Buffer.from(json), u32(Buffer.byteLength(json))]),
});
const put = (changes: Record<number, unknown>): string => {
  const fields = [
    "p",
    "a",
    1,
    1,
    1,
    0,
    0,
    HASH,
    10,
    "routine",
    "2026-01-01T00:00:00.000Z",
    0,
    {},
  ] as unknown[];
  for (const [at, value] of Object.entries(changes)) fields[Number(at)] = value;
  return `{"e":[${JSON.stringify(fields)}]}`;
};
const section = (bytes: Uint8Array, stateBytes = 1000): Frame =>
  commit(put({ 5: bytes.length, 8: stateBytes }), bytes);
const record = (
  structure: string,
  pieces: readonly (readonly [length: number, text: string])[],
  count = pieces.length,
  kind = 1,
) =>
  Buffer.concat([
    Buffer.from([1, kind]),
    u32(Buffer.byteLength(structure)),
    u32(count),
    Buffer.from(structure),
    ...pieces.flatMap(([length, text]) => [u32(length), Buffer.from(text)]),
  ]);
const piece = (text: string) => [Buffer.byteLength(text), text] as const;
const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const entries: readonly Forgery[] = (
  [
    ["a negative epoch", put({ 2: -1 })],
    ["a fractional number", put({ 3: 1.5 })],
    ["NaN as a number", put({ 3: Number.NaN })],
    ["a sequence beyond 2^53", put({ 4: 1e300 })],
    ["a negative length", put({ 5: -5 })],
    ["a length of 2^40", put({ 5: 2 ** 40 })],
    ["a base that is itself", put({ 6: 1 })],
    ["a base in the future", put({ 6: 99 })],
    ["a hash that is none", put({ 7: "../../etc" })],
    ["a hash of another type", put({ 7: { toString: 1 } })],
    ["a state of 2^53 bytes", put({ 8: 2 ** 53 })],
    ["an object for a name", put({ 9: { length: 1 } })],
    ["a name with NUL", put({ 9: "a\0b" })],
    ["an agent id that climbs", put({ 1: "../../escape" })],
    ["an agent called __proto__", put({ 1: "__proto__" })],
    ["metadata that is an array", put({ 12: [] })],
    [
      "metadata with __proto__",
      put({}).replace("{}]", '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}}]'),
    ],
    ["metadata 100,000 levels deep", put({}).replace("{}]", `{"a":${deep(100_000)}}]`)],
    ["a header 200,000 levels deep", deep(200_000)],
    ["__proto__ for the entries", '{"__proto__":{"e":[]},"polluted":true}'],
    ["an unknown kind of entry", '{"e":[["z","a",1,1]]}'],
    ["an unknown kind of event", '{"e":[["e","a",1,1,{"kind":"__proto__"}]]}'],
    [
      "a note named __proto__",
      '{"e":[["e","a",1,1,{"kind":"note","topic":"__proto__","body":{"polluted":true}}]]}',
    ],
    ["a mark that ends before it begins", '{"e":[["s","a",1,1,1,[[9,1]]]]}'],
    [
      "a mark of 2^53 numbers",
      '{"e":[["s","a",1,9007199254740991,9007199254740991,[[1,9007199254740991]]]]}',
    ],
    [
      "a removal of 100,000 ids",
      `{"e":[["r","a",1,1,[${Array.from({ length: 100_000 }, (_, i) => i + 1).join()}],""]]}`,
    ],
  ] as const
).map(([name, json]) => ({ name, frames: [goodHeader, commit(json)] }));

const states: readonly Forgery[] = (
  [
    ["a structure of 4 GB", Buffer.concat([Buffer.from([1, 1]), u32(0xffff_ffff), u32(0)])],
    ["four billion pieces", record("0", [], 0xffff_ffff)],
    ["a piece of 2 GB", record("0", [[0x7fff_ffff, "1"]])],
    ["a raw piece of 2 GB", record('["B"]', [[0xffff_ffff, "1"]])],
    ["a state 100,000 levels deep", record("0", [piece(deep(100_000))])],
    [
      "a structure 50,000 levels deep",
      record(`${'["A",'.repeat(50_000)}0${"]".repeat(50_000)}`, [piece("1")]),
    ],
    ["an array of 2^53 pieces", record('["A",-9007199254740991]', [piece("1")])],
    ["an object with __proto__", record("0", [piece('{"__proto__":{"polluted":true}}')])],
    ["an unknown tag", record("0", [piece('{"$ckpt":"Function","v":"process.exit()"}')])],
    [
      "an Error of a made-up class",
      record("0", [piece('{"$ckpt":"Error","v":{"type":"process","own":{},"props":{}}}')]),
    ],
    ["a RegExp that backtracks", record("0", [piece('{"$ckpt":"RegExp","v":["(a+)+$","",0]}')])],
    [
      "a bigint of 2 million digits",
      record("0", [piece(`{"$ckpt":"bigint","v":"${"9".repeat(2_000_000)}"}`)]),
    ],
    ["a typed array of odd length", record("0", [piece('{"$ckpt":"Float64Array","v":"AAA="}')])],
    ["a delta without a base", record('["r",0]', [piece("1")], 1, 2)],
    ["version 200 of the record", Buffer.from([200, 1, 0, 0, 0, 0, 0, 0, 0, 0])],
    ["pieces that nobody takes", record("0", [piece("1"), piece("2")])],
  ] as const
).map(([name, bytes]) => ({ name: `a state with ${name}`, frames: [goodHeader, section(bytes)] }));

const bomb = deflateRawSync(Buffer.alloc(200_000_000), { level: 9 });
const hint = (directory: Buffer, plainBytes: number) =>
  Buffer.concat([
    Buffer.from("CKPH"),
    u32(1),
    directory,
    u32(directory.length),
    u32(plainBytes),
    u32(crc32(directory)),
    Buffer.from("CKPH"),
  ]);

const files: readonly Forgery[] = [
  { name: "a hint that inflates to 200 MB", files: { hint: hint(bomb, 200_000_000) } },
  { name: "a hint that says it inflates to 4 GB", files: { hint: hint(bomb, 0xffff_ffff) } },
  {
    name: "a hint with a directory of 4 GB",
    files: {
      hint: Buffer.concat([
        Buffer.from("CKPH"),
        u32(1),
        u32(0xffff_ffff),
        u32(9),
        u32(0),
        Buffer.from("CKPH"),
      ]),
    },
  },
  {
    name: "heads of 10^300 bytes",
    files: {
      heads: checked(
        `{"format":1,"writerId":"${WRITER}","segments":[{"number":1,"length":1e300,"lastFrame":0,"chain":"${"0".repeat(32)}","sealed":true,"agents":{"__proto__":[1,9007199254740991]}}]}`,
      ),
    },
  },
  {
    name: "heads with a million lost checkpoints",
    files: {
      heads: checked(
        `{"format":1,"writerId":"${WRITER}","segments":[{"number":7,"length":100,"lastFrame":0,"chain":"${"0".repeat(32)}","sealed":true,"agents":{"a":[1,9007199254740991]}}]}`,
      ),
    },
  },
  { name: "heads 300,000 levels deep", files: { heads: checked(deep(300_000)) } },
  {
    name: "a manifest that names a path",
    files: { manifest: checked('{"format":1,"number":1,"replaced":[["../../etc",1]],"outputs":[]}') },
  },
  {
    name: "a manifest of another number",
    files: { manifest: checked('{"format":1,"number":99,"replaced":"all","outputs":[]}') },
  },
  { name: "a lease of epoch 2^53", files: { lease: Buffer.from('{"epoch":9007199254740992}') } },
  { name: "FORMAT of version 99", files: { FORMAT: checked(`{"format":99,"storeId":"${STORE_ID}"}`) } },
  {
    name: "FORMAT with __proto__",
    files: { FORMAT: checked('{"__proto__":{"format":1,"storeId":"x"},"polluted":true}') },
  },
];

const segments: readonly Forgery[] = [
  {
    name: "a segment of format 99",
    frames: [
      headerFrame(
        `{"format":99,"storeId":"${STORE_ID}","writerId":"${WRITER}","number":1,"compacted":false,"void":[]}`,
      ),
    ],
  },
  {
    name: "a segment header with __proto__",
    frames: [headerFrame('{"__proto__":{"format":1},"polluted":true}')],
  },
  {
    name: "a segment that voids others at -1",
    frames: [
      headerFrame(
        `{"format":1,"storeId":"${STORE_ID}","writerId":"${WRITER}","number":1,"compacted":false,"void":[[1,-1],["x",{}]]}`,
      ),
    ],
  },
  { name: "a record of an unknown kind", frames: [goodHeader, { kind: 77, body: Buffer.from("?") }] },
  {
    name: "a record of an unknown codec",
    frames: [goodHeader, { kind: 2, codec: 9, body: Buffer.from("?") }],
  },
  {
    name: "a deflated record that inflates to 200 MB",
    frames: [goodHeader, { kind: 2, codec: 1, body: Buffer.concat([u32(200_000_000), bomb]) }],
  },
  {
    name: "a commit whose header is longer than it",
    frames: [goodHeader, { kind: 2, body: u32(0xffff_ffff) }],
  },
  { name: "an empty commit", frames: [goodHeader, { kind: 2, body: Buffer.alloc(0) }] },
];

export const FORGERIES: readonly Forgery[] = [...entries, ...states, ...files, ...segments];

function segmentOf(frames: readonly Frame[]): Buffer {
  const parts: Buffer[] = [];
  let [previousChain, offset]: [Uint8Array, number] = [ZERO_CHAIN, 0];
  for (const frame of frames) {
    const { bytes, chain } = encodeFrame({ ...frame, offset, previousChain });
    parts.push(bytes);
    [previousChain, offset] = [chain, offset + bytes.length];
  }
  return Buffer.concat(parts);
}

/** Lays a forgery out as a store in `directory`. */
export async function forge(directory: string, { frames, files = {} }: Forgery): Promise<void> {
  const paths: Readonly<Record<string, string>> = {
    hint: `writers/${WRITER}/00000001.hint`,
    heads: `heads/${WRITER}.json`,
    manifest: "manifests/00000001.json",
    lease: "agents/a.a/1.lease",
    FORMAT: "FORMAT",
  };
  for (const name of ["writers", `writers/${WRITER}`, "heads", "manifests", "agents", "agents/a.a"])
    await mkdir(join(directory, name), { recursive: true, mode: 0o700 });
  await writeFile(join(directory, "FORMAT"), checked(`{"format":1,"storeId":"${STORE_ID}"}`));
  await writeFile(
    join(directory, `writers/${WRITER}/00000001.seg`),
    segmentOf(frames ?? [goodHeader, commit(put({}))]),
  );
  for (const [name, bytes] of Object.entries(files))
    await writeFile(join(directory, paths[name] ?? name), bytes);
}
