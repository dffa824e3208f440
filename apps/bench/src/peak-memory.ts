import { readFileSync } from "node:fs";

/**
 * The most resident memory that this process has had, in bytes. On Linux from its own address space: `maxRSS` of `getrusage` begins with what
 * the parent had when it forked, which after the peers' scenarios is more than what is measured.
 */
export function peakBytes(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"));
  if (found === null) throw new Error("/proc/self/status names no VmHWM");
  return Number(found[1]) * 1024;
}
