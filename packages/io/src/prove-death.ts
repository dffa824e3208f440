import { type ProcessIdentity, processIdentity, readProcessStat } from "./process-identity.js";

/** Whether a process is gone, and how that is known. */
export interface DeathVerdict {
  /** `"dead"` is proven. `"alive"`: it runs, or may wake. `"unknown"`: cannot be told from here; take it for alive. */
  readonly state: "dead" | "alive" | "unknown";
  /** In words, for an error message. */
  readonly because: string;
}

/**
 * Whether the process `holder` is gone. Never by time: a paused process is alive.
 *
 * Proven dead is a process of this machine from before the last boot, and one of this boot and these namespaces whose
 * pid is gone, is a reaped-to-be zombie without threads, or started at another time. Where the platform tells no boot
 * (anything but Linux), only a pid that is gone on the same host counts.
 */
export async function proveDeath(holder: ProcessIdentity): Promise<DeathVerdict> {
  const me = await processIdentity();
  if (holder.bootId === undefined || me.bootId === undefined) {
    if (holder.bootId !== me.bootId || holder.host !== me.host) return unknown("it ran on another machine");
    return exists(holder.pid) ? unknown("a process with that pid runs") : dead("no process has that pid");
  }
  if (holder.bootId !== me.bootId) {
    return isSameMachine(holder, me)
      ? dead("this machine has been booted since")
      : unknown("it ran on another machine");
  }
  if (holder.namespace === undefined || holder.namespace !== me.namespace) {
    return unknown("it ran in another container, whose processes cannot be seen from here");
  }
  // Of itself a process need not ask: its start time tells whether the pid was another's before.
  if (holder.pid === me.pid && holder.startTime !== undefined && me.startTime !== undefined) {
    return holder.startTime === me.startTime
      ? alive
      : dead("its pid belongs to a process that started later");
  }
  return sameBootVerdict(holder);
}

const alive: DeathVerdict = { state: "alive", because: "its process runs" };

async function sameBootVerdict(holder: ProcessIdentity): Promise<DeathVerdict> {
  // First the system call: /proc may hide the processes of other users (hidepid), which must not look dead.
  if (!exists(holder.pid)) return dead("no process has that pid");
  const stat = await readProcessStat(holder.pid);
  if (stat === undefined) {
    return exists(holder.pid)
      ? unknown("its process cannot be looked into")
      : dead("no process has that pid");
  }
  if (holder.startTime === undefined) return unknown("a process with that pid runs");
  if (stat.startTime !== holder.startTime) return dead("its pid belongs to a process that started later");
  // A zombie's last threads may still be inside a write; alone, it has no descriptor open any more.
  if ((stat.state === "Z" || stat.state === "X") && stat.threads <= 1) return dead("its process has ended");
  return alive;
}

function isSameMachine(a: ProcessIdentity, b: ProcessIdentity): boolean {
  if (a.machineId !== undefined && b.machineId !== undefined) return a.machineId === b.machineId;
  return a.machineId === b.machineId && a.host === b.host;
}

/** Whether any process has this pid; signal 0 only asks. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to another user. Windows reports what is not there as ESRCH too.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function dead(because: string): DeathVerdict {
  return { state: "dead", because };
}

function unknown(because: string): DeathVerdict {
  return { state: "unknown", because };
}
