import { crc32 } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { tableCrc32 } from "../src/crc32-table.js";
import { fc, propertyOptions } from "./support/property.js";

describe("crc32", () => {
  it("gives the check value of CRC-32/ISO-HDLC", () => {
    expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
    expect(tableCrc32(Buffer.from("123456789"))).toBe(0xcbf43926);
  });

  it("gives the same from tables as from zlib, whole and continued at any point", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), (bytes, at) => {
        const whole = crc32(bytes);
        expect(tableCrc32(bytes)).toBe(whole);
        expect(tableCrc32(bytes.subarray(at), tableCrc32(bytes.subarray(0, at)))).toBe(whole);
        expect(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at)))).toBe(whole);
      }),
      propertyOptions(),
    );
  });
});
