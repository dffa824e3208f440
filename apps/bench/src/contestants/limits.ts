import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fsync,
  ftruncateSync,
  open,
  openSync,
  rename,
  write,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Contestant, OpenContestant } from "../contestant.js";

const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);
const renameAsync = promisify(rename);
const openAsync = promisify(open);

function appendTo(directory: string, flags: number, zeroBytes: number, sync: boolean): OpenContestant {
  const path = join(directory, "append.log");
  const fd = openSync(path, constants.O_CREAT | constants.O_WRONLY | flags, 0o600);
  if (zeroBytes > 0) {
    const zeros = Buffer.alloc(1 << 20);
    for (let at = 0; at < zeroBytes; at += zeros.length) writeSync(fd, zeros, 0, zeros.length, at);
    fdatasyncSync(fd);
  }
  let position = 0;
  return {
    async save(_agent, state) {
      const bytes = Buffer.from(JSON.stringify(state));
      const at = position;
      position += bytes.length;
      await writeAsync(fd, bytes, 0, bytes.length, at);
      if (sync) await syncAsync(fd);
    },
    latest: () => Promise.reject(new Error("a limit does not restore")),
    async close() {
      if (zeroBytes > 0) ftruncateSync(fd, position);
      closeSync(fd);
    },
  };
}

const limit = (name: string, open: (directory: string) => OpenContestant): Contestant => ({
  name,
  durability: "power cut",
  kind: "limit",
  open: async (directory) => open(directory),
});

export const appendDsync = limit("append O_DSYNC", (d) => appendTo(d, constants.O_DSYNC, 0, false));
export const appendFdatasync = limit("append + fdatasync", (d) => appendTo(d, 0, 0, true));
export const prezeroedDsync = limit("pre-zeroed O_DSYNC", (d) =>
  appendTo(d, constants.O_DSYNC, 64 << 20, false),
);

export const atomicReplace = limit("temp + fsync + rename + fsync(dir)", (directory) => ({
  async save(agent, state) {
    const temp = join(directory, `${agent}.tmp`);
    const fd = await openAsync(temp, "w", 0o600);
    const bytes = Buffer.from(JSON.stringify(state));
    await writeAsync(fd, bytes, 0, bytes.length, 0);
    await fsyncAsync(fd);
    closeSync(fd);
    await renameAsync(temp, join(directory, `${agent}.json`));
    const dir = await openAsync(directory, "r");
    await fsyncAsync(dir);
    closeSync(dir);
  },
  latest: () => Promise.reject(new Error("a limit does not restore")),
  close: async () => undefined,
}));

export const stringifyOnly: Contestant = {
  ...limit("JSON.stringify alone", () => ({
    async save(_agent, state) {
      if (JSON.stringify(state).length < 2) throw new Error("empty");
    },
    latest: () => Promise.reject(new Error("a limit does not restore")),
    close: async () => undefined,
  })),
  durability: "nothing",
};
