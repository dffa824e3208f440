import { FaultPlan } from "../faulty-fs/fault-plan.js";
import { CHANGES_DISK, CONSUMES_SPACE } from "../faulty-fs/operation.js";

/** A way to fail, at the n-th operation. */
export interface FaultKind {
  readonly name: string;
  plan(at: number): FaultPlan;
}

/** What disks, kernels and administrators do. */
export const FAULT_KINDS: readonly FaultKind[] = [
  { name: "EIO once", plan: (at) => new FaultPlan().failAt(at, { errno: "EIO" }) },
  {
    name: "EIO once, having done it",
    plan: (at) => new FaultPlan().failAt(at, { errno: "EIO", afterDoing: true }),
  },
  { name: "EIO from then on", plan: (at) => new FaultPlan().failAt(at, { errno: "EIO", mode: "forever" }) },
  { name: "EINTR once", plan: (at) => new FaultPlan().failAt(at, { errno: "EINTR" }) },
  { name: "EAGAIN once", plan: (at) => new FaultPlan().failAt(at, { errno: "EAGAIN" }) },
  {
    name: "EMFILE once, at the next open",
    plan: (at) => new FaultPlan().failAt(at, { errno: "EMFILE", only: ["open", "create"] }),
  },
  { name: "EACCES once", plan: (at) => new FaultPlan().failAt(at, { errno: "EACCES" }) },
  {
    name: "ENOSPC once",
    plan: (at) => new FaultPlan().failAt(at, { errno: "ENOSPC", only: CONSUMES_SPACE }),
  },
  {
    name: "ENOSPC from then on",
    plan: (at) => new FaultPlan().failAt(at, { errno: "ENOSPC", mode: "forever", only: CONSUMES_SPACE }),
  },
  {
    name: "EROFS from then on",
    plan: (at) => new FaultPlan().failAt(at, { errno: "EROFS", mode: "forever", only: CHANGES_DISK }),
  },
  {
    name: "short writes, and EIO once",
    plan: (at) => new FaultPlan().shortWrites({ seed: at }).failAt(at, { errno: "EIO" }),
  },
];
