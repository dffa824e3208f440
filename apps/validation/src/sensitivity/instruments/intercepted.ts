import type { FileSystem, OpenOptions } from "@ckpt/io";
import { delayed } from "./delayed.js";

/** A file system that asks before each file that is opened: what `before` throws is what opening throws. */
export function beforeOpening(
  fs: FileSystem,
  before: (path: string, options: OpenOptions) => void,
): FileSystem {
  return {
    ...delayed(fs, { below: () => 0 }, 0),
    open: async (path, options) => {
      before(path, options);
      return fs.open(path, options);
    },
  };
}

/** What the device says of a place that it cannot read or write. */
export const deviceError = () => Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
