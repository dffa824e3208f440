import { existsSync } from "node:fs";
import { join } from "node:path";
import { copyFile, createChecksum, writeAtomic } from "@ckpt/io";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "./support/temp-directory.js";

const refused = expect.objectContaining({ code: "CKPT_INVALID_ARGUMENT" });

describe("wrong arguments", () => {
  it.each([[{ step: 7 }], [7], [undefined], [null]] as never[][])(
    "writeAtomic refuses to write %j, and touches no file",
    async (data) => {
      const directory = await tempDirectory();
      await expect(writeAtomic(join(directory, "below", "file"), data)).rejects.toEqual(refused);
      expect(existsSync(join(directory, "below"))).toBe(false);
    },
  );

  it("an unknown checksum is refused, and no other one is given in its place", async () => {
    const path = join(await tempDirectory(), "file");
    const options = { checksum: "md5" as never };
    expect(() => createChecksum("md5" as never)).toThrow(refused);
    await expect(writeAtomic(path, "text", options)).rejects.toEqual(refused);
    expect(existsSync(path)).toBe(false);
    await writeAtomic(path, "text");
    await expect(copyFile(path, `${path}-2`, options)).rejects.toEqual(refused);
    expect(existsSync(`${path}-2`)).toBe(false);
  });
});
