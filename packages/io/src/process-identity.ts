import { readFile, readlink } from "node:fs/promises";
import os from "node:os";

/**
 * Which process something belongs to, exactly enough to prove later that it is gone. Facts that the platform does not
 * tell (all but host and pid come from Linux) are undefined.
 */
export interface ProcessIdentity {
  readonly host: string;
  /** The installation's id, 32 hex digits. */
  readonly machineId: string | undefined;
  /** Changes at every boot; the same in all containers of a machine. */
  readonly bootId: string | undefined;
  /** The namespaces in which pid and start time count. */
  readonly namespace: string | undefined;
  readonly pid: number;
  /** Clock ticks from boot to the start of the process: tells a pid from its reuse. */
  readonly startTime: string | undefined;
}

/** What `/proc/<pid>/stat` says of a process. */
export interface ProcessStat {
  /** One letter; Z and X are dead. */
  readonly state: string;
  readonly threads: number;
  readonly startTime: string;
}

async function firstLine(path: string, shape: RegExp): Promise<string | undefined> {
  try {
    const line = (await readFile(path, "utf8")).trim();
    return shape.test(line) ? line : undefined;
  } catch {
    return undefined; // not Linux, or hidden from us: a fact that is not known
  }
}

async function namespaces(): Promise<string | undefined> {
  try {
    const pid = await readlink("/proc/self/ns/pid");
    const time = await readlink("/proc/self/ns/time").catch(() => "time:none"); // before Linux 5.6
    return `${pid} ${time}`;
  } catch {
    return undefined;
  }
}

/**
 * Reads `/proc/<pid>/stat`; undefined where it cannot be read or makes no sense. The second field, the command, may
 * itself contain spaces and brackets, so fields are counted from the last bracket.
 */
export async function readProcessStat(pid: number | "self"): Promise<ProcessStat | undefined> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, threads, startTime] = [fields[0], fields[17], fields[19]];
  if (state === undefined || threads === undefined || startTime === undefined) return undefined;
  if (!/^[A-Za-z]$/.test(state) || !/^\d{1,10}$/.test(threads) || !/^\d{1,20}$/.test(startTime))
    return undefined;
  return { state, threads: Number(threads), startTime };
}

async function read(): Promise<ProcessIdentity> {
  const id = /^(?!0+$)[0-9a-f]{32}$/;
  const [bootId, machineId, namespace, stat] = await Promise.all([
    firstLine("/proc/sys/kernel/random/boot_id", /^[0-9a-f-]{36}$/),
    firstLine("/etc/machine-id", id).then((found) => found ?? firstLine("/var/lib/dbus/machine-id", id)),
    namespaces(),
    readProcessStat("self"),
  ]);
  return { host: os.hostname(), machineId, bootId, namespace, pid: process.pid, startTime: stat?.startTime };
}

let own: Promise<ProcessIdentity> | undefined;

/** The identity of this process, read once. */
export function processIdentity(): Promise<ProcessIdentity> {
  own ??= read();
  return own;
}

const MAX_TEXT = 256;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_TEXT ? value : undefined;
}

/** An identity from parsed JSON that may be hostile; undefined when it is none. */
export function parseProcessIdentity(json: unknown): ProcessIdentity | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { host, machineId, bootId, namespace, pid, startTime } = json as Record<string, unknown>;
  const name = text(host);
  if (name === undefined || !Number.isInteger(pid) || (pid as number) <= 0 || (pid as number) > 0x7fff_ffff) {
    return undefined;
  }
  return {
    host: name,
    machineId: text(machineId),
    bootId: text(bootId),
    namespace: text(namespace),
    pid: pid as number,
    startTime: text(startTime),
  };
}
