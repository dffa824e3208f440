import { createHash } from "node:crypto";
import {
  crc32,
  encodeFrame,
  FRAME_HEADER_BYTES,
  MAX_FRAME_BODY_BYTES,
  parseFrameHeader,
  readFrame,
  scanFrames,
  ZERO_CHAIN,
} from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { collect } from "./support/collect.js";
import { MemoryFile } from "./support/memory-file.js";

describe("a frame", () => {
  it("has the documented layout, computed here by hand", () => {
    const body = Buffer.from("hello");
    const previousChain = Buffer.alloc(16, 7);
    const offset = 2 ** 32 + 5;
    const { bytes, chain } = encodeFrame({
      offset,
      kind: 3,
      codec: 9,
      isLast: false,
      acked: 2 ** 32,
      previousChain,
      body,
    });

    const head = Buffer.alloc(40);
    head.write("CKPF", 0, "latin1");
    head.writeUInt32LE(5, 4);
    head.writeUInt8(3, 8);
    head.writeUInt8(9, 9);
    head.writeUInt16LE(1, 10);
    head.writeBigUInt64LE(2n ** 32n, 12);
    const bodyCrc = Buffer.alloc(4);
    bodyCrc.writeUInt32LE(crc32(body));
    const sha = createHash("sha256")
      .update(previousChain)
      .update(head.subarray(0, 20))
      .update(bodyCrc)
      .digest();
    sha.copy(head, 20, 0, 16);
    const position = Buffer.alloc(8);
    position.writeBigUInt64LE(BigInt(offset));
    head.writeUInt32LE(crc32(Buffer.concat([position, head.subarray(0, 36), bodyCrc])), 36);

    expect(bytes.equals(Buffer.concat([head, body]))).toBe(true);
    expect(Buffer.from(chain).equals(sha.subarray(0, 16))).toBe(true);
  });

  it("may have an empty body", async () => {
    const { bytes } = encodeFrame({ kind: 1, body: new Uint8Array(0) });
    expect(bytes.length).toBe(FRAME_HEADER_BYTES);
    const frames = await collect(scanFrames(new MemoryFile(bytes)));
    expect(frames).toMatchObject([{ type: "frame", kind: 1, isFirst: true, isLast: true, end: 40 }]);
  });

  it("is refused above the longest body", () => {
    const body = new Uint8Array(MAX_FRAME_BODY_BYTES + 1);
    expect(() => encodeFrame({ kind: 1, body })).toThrow(expect.objectContaining({ code: "CKPT_LIMIT" }));
  });

  it("is none at any other offset than its own", async () => {
    const { bytes } = encodeFrame({ offset: 0, kind: 1, body: Buffer.from("moved") });
    const moved = new MemoryFile(Buffer.concat([Buffer.from([1]), bytes]));
    await expect(readFrame(moved, 1)).rejects.toMatchObject({ code: "CKPT_CORRUPT" });
    expect((await readFrame(new MemoryFile(bytes), 0)).body).toEqual(Buffer.from("moved"));
  });

  it.each([
    ["a length above the limit", (head: Buffer) => head.writeUInt32LE(MAX_FRAME_BODY_BYTES + 1, 4)],
    ["flags that do not exist", (head: Buffer) => head.writeUInt16LE(4, 10)],
    ["an acked above its own offset", (head: Buffer) => head.writeUInt32LE(1, 12)],
    ["an acked above 2^53", (head: Buffer) => head.writeUInt32LE(0xffff_ffff, 16)],
    ["another magic", (head: Buffer) => head.writeUInt8(0, 0)],
  ])("is not parsed with %s", (_what, spoil) => {
    const { bytes } = encodeFrame({ kind: 1, body: Buffer.from("x"), previousChain: ZERO_CHAIN });
    expect(parseFrameHeader(bytes, 0, 0)).toBeDefined();
    spoil(bytes);
    expect(parseFrameHeader(bytes, 0, 0)).toBeUndefined();
  });
});
