/** Each fsync, each fsync of a directory, each O_DSYNC, exclusive create, exclusive link and lock, by the kind of file. */

import { edit, type Mutant } from "../mutant.js";
import { LIVING_IS_TRUSTED } from "./holding.js";

const HINT = "\\.hint$";
const TEMPORARY = "/\\.ckpt-[^/]*\\.tmp$|\\.tmp$";
export const fileSystemMutants: readonly Mutant[] = [
  {
    name: "no O_DSYNC for segments",
    removals: [{ safeguard: "dsync", paths: "\\.seg$" }],
    instruments: ["cuts-saves"],
  },
  {
    name: "no fsync when a segment is closed",
    removals: [{ safeguard: "sync", paths: "\\.seg$" }],
    // The dead writer's segments are synced by the same call.
    instruments: ["cuts-saves", "takeover"],
    coveredBy: {
      what: "writes that are on the disk when they return (O_DSYNC), and writing a retry anew where the writer of what is there is not proven dead",
      edits: [LIVING_IS_TRUSTED],
      instruments: ["takeover"],
    },
  },
  {
    name: "no fsync of leases",
    removals: [{ safeguard: "sync", paths: `/(agents|writers|maintenance)/.*(${TEMPORARY})` }],
    instruments: ["cuts-restarts"],
  },
  {
    name: "no fsync of FORMAT",
    removals: [{ safeguard: "sync", paths: `^/store/[^/]*(${TEMPORARY})` }],
    instruments: ["cuts-saves"],
  },
  {
    name: "no fsync of heads",
    removals: [{ safeguard: "sync", paths: `/heads/.*(${TEMPORARY})` }],
    instruments: ["heads", "cuts-restarts"],
  },
  {
    name: "no fsync of manifests",
    removals: [{ safeguard: "sync", paths: `/manifests/.*(${TEMPORARY})` }],
    instruments: ["cuts-compaction"],
  },
  {
    name: "no fsync of quarantine notes",
    removals: [{ safeguard: "sync", paths: `/quarantine/.*(${TEMPORARY})` }],
    instruments: ["repair"],
  },
  {
    name: "no fsync of the directory that holds the store",
    removals: [{ safeguard: "syncDirectory", paths: "^/$" }],
    instruments: ["cuts-saves"],
  },
  {
    name: "no fsync of the store's directory",
    removals: [{ safeguard: "syncDirectory", paths: "^/store$" }],
    instruments: ["cuts-saves"],
  },
  {
    name: "no fsync of writers/",
    removals: [{ safeguard: "syncDirectory", paths: "^/store/writers$" }],
    instruments: ["cuts-saves"],
  },
  {
    name: "no fsync of a writer's directory",
    removals: [{ safeguard: "syncDirectory", paths: "^/store/writers/[^/]+$" }],
    instruments: ["cuts-saves"],
  },
  {
    name: "no fsync of heads/",
    removals: [{ safeguard: "syncDirectory", paths: "^/store/heads$" }],
    instruments: ["heads"],
  },
  {
    name: "no fsync of agents/",
    removals: [{ safeguard: "syncDirectory", paths: "^/store/agents$" }],
    instruments: ["cuts-restarts"],
    coveredBy: {
      what: "the log: epochs go on from the highest in it where lease files are gone",
      edits: [
        edit("disk/src/held-agent", "Math.max(lease.epoch, history.epoch + 1)", "Math.max(lease.epoch, 1)"),
      ],
      instruments: ["cuts-restarts"],
    },
  },
  {
    name: "no fsync of an agent's directory",
    removals: [{ safeguard: "syncDirectory", paths: "^/store/agents/[^/]+$" }],
    instruments: ["cuts-restarts"],
  },
  {
    name: "no fsync of manifests/",
    removals: [{ safeguard: "syncDirectory", paths: "^/store/manifests$" }],
    instruments: ["cuts-compaction"],
  },
  {
    name: "no fsync of quarantine/",
    removals: [{ safeguard: "syncDirectory", paths: "^/store/quarantine$" }],
    instruments: ["repair"],
  },
  {
    name: "no fsync of hints",
    removals: [{ safeguard: "sync", paths: `/writers/.*(${TEMPORARY})|${HINT}` }],
    instruments: ["cuts-restarts"],
  },
  {
    name: "segments are not created exclusively",
    removals: [{ safeguard: "exclusive", paths: "\\.seg$" }],
    instruments: ["cuts-restarts", "races"],
    coveredBy: {
      what: "writer ids: random, never reused",
      edits: [
        edit(
          "disk/src/layout",
          "return id;\n}\n\nexport function isWriterId",
          'return id && "0".repeat(26);\n}\n\nexport function isWriterId',
        ),
      ],
      instruments: ["cuts-restarts"],
    },
  },
  {
    name: "leases are published over what is there",
    removals: [{ safeguard: "link", paths: "\\.lease$" }],
    instruments: ["late-link", "contention"],
  },
  {
    name: "FORMAT is published over what is there",
    removals: [{ safeguard: "link", paths: "/FORMAT$" }],
    instruments: ["races"],
  },
  {
    name: "manifests are published over what is there",
    removals: [{ safeguard: "link", paths: "/manifests/" }],
    instruments: ["late-publisher", "compactors", "beside"],
    coveredBy: {
      what: "the maintenance lease, which lets one process compact at a time",
      removals: [{ safeguard: "lock", paths: "/maintenance/" }],
      instruments: ["late-publisher"],
    },
  },
  {
    name: "the lock of agents lies",
    removals: [{ safeguard: "lock", paths: "/agents/" }],
    instruments: ["races"],
  },
  {
    name: "the lock of writers lies",
    removals: [{ safeguard: "lock", paths: "/writers/" }],
    instruments: ["beside"],
  },
  {
    name: "the lock of maintenance lies",
    removals: [{ safeguard: "lock", paths: "/maintenance/" }],
    instruments: ["late-publisher", "compactors"],
    coveredBy: {
      what: "the exclusive link of manifests: who comes second discards its output",
      removals: [{ safeguard: "link", paths: "/manifests/" }],
      instruments: ["late-publisher"],
    },
  },
];
