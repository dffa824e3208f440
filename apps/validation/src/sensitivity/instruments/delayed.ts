import { setImmediate as immediately } from "node:timers/promises";
import type { SeededRandom } from "@ckpt/conformance/faulty-fs";
import type { FileSystem } from "@ckpt/io";

/**
 * A file system whose calls on names wait up to `mostTurns` turns of the event loop before they happen: whatever else is going on gets on
 * meanwhile, also what waits for real input or timers.
 */
export function delayed(
  fs: FileSystem,
  random: Pick<SeededRandom, "below">,
  mostTurns: number,
  turn: () => Promise<unknown> = () => immediately(),
): FileSystem {
  const wait = async () => {
    for (let turns = random.below(mostTurns + 1); turns > 0; turns--) await turn();
  };
  const after =
    <Arguments extends unknown[], Result>(call: (...given: Arguments) => Promise<Result>) =>
    async (...given: Arguments): Promise<Result> => {
      await wait();
      return call(...given);
    };
  return {
    open: after((path, options) => fs.open(path, options)),
    stat: after((path) => fs.stat(path)),
    readdir: after((path) => fs.readdir(path)),
    mkdir: after((path, mode) => fs.mkdir(path, mode)),
    rename: after((from, to) => fs.rename(from, to)),
    link: after((from, to) => fs.link(from, to)),
    unlink: after((path) => fs.unlink(path)),
    rmdir: after((path) => fs.rmdir(path)),
    syncDirectory: after((path) => fs.syncDirectory(path)),
    realpath: after((path) => fs.realpath(path)),
    freeBytes: after((path) => fs.freeBytes(path)),
  };
}
