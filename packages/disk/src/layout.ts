/**
 * Every path of a store, built and parsed here and nowhere else. docs/format.md, "Layout", shows the tree.
 */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { isTempName } from "@ckpt/io";
import { encodeAgentName } from "./agent-names.js";

/** Names one segment: unique in a store, for ever. */
export interface SegmentName {
  readonly writerId: string;
  readonly number: number;
}

const WRITER_ID = /^[0-9a-hjkmnp-tv-z]{26}$/;
const SEGMENT = /^(\d{8,15})\.(seg|hint)$/;
const LEASE = /^[1-9]\d{0,15}\.(lease|released)$/;
const MANIFEST = /^(\d{8,15})\.json$/;
const HEAD = /^([0-9a-z]{26})\.json$/;
const BASE32 = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new writer id: 128 random bits in lower-case Crockford base 32. */
export function newWriterId(): string {
  let bits = BigInt(`0x${randomBytes(16).toString("hex")}`);
  let id = "";
  for (let i = 0; i < 26; i++, bits >>= 5n) id = BASE32[Number(bits & 31n)] + id;
  return id;
}

export function isWriterId(name: string): boolean {
  return WRITER_ID.test(name);
}

/** `<writerId>/<number>`: how a segment is called in messages and as a key. */
export function segmentKey(name: SegmentName): string {
  return `${name.writerId}/${name.number}`;
}

const digits = (number: number) => String(number).padStart(8, "0");

function numbered(pattern: RegExp, name: string): number | undefined {
  const match = pattern.exec(name);
  const number = match === null ? Number.NaN : Number(match[1]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** The number of a segment file's or hint file's name, and which it is; undefined for any other name. */
export function parseSegmentFile(name: string): { number: number; kind: "seg" | "hint" } | undefined {
  const number = numbered(SEGMENT, name);
  return number === undefined ? undefined : { number, kind: name.endsWith(".seg") ? "seg" : "hint" };
}

/** Whether a name is one of the files of a lease. */
export function isLeaseFile(name: string): boolean {
  return name === "lock" || LEASE.test(name);
}

/** Whether a name in a writer's directory is that of a hint, the reserve or a temporary file: of no use without a segment. */
export function isDerivedFile(name: string): boolean {
  return name === "reserve" || isTempName(name) || parseSegmentFile(name)?.kind === "hint";
}

/** Whether the store gives its files in a writer's directory names like this one. */
export function isWriterFile(name: string): boolean {
  return isLeaseFile(name) || isDerivedFile(name) || parseSegmentFile(name) !== undefined;
}

/** The number of a manifest's file name; undefined for any other name. */
export function parseManifestFile(name: string): number | undefined {
  return numbered(MANIFEST, name);
}

/** The writer id of a heads file's name; undefined for any other name. */
export function parseHeadsFile(name: string): string | undefined {
  const id = HEAD.exec(name)?.[1];
  return id !== undefined && isWriterId(id) ? id : undefined;
}

/** The paths of the store at `root`. */
export class StoreLayout {
  readonly root: string;
  readonly formatFile: string;
  readonly writers: string;
  readonly heads: string;
  readonly agents: string;
  readonly manifests: string;
  readonly maintenance: string;
  readonly quarantine: string;

  constructor(root: string) {
    this.root = root;
    this.formatFile = path.join(root, "FORMAT");
    this.writers = path.join(root, "writers");
    this.heads = path.join(root, "heads");
    this.agents = path.join(root, "agents");
    this.manifests = path.join(root, "manifests");
    this.maintenance = path.join(root, "maintenance");
    this.quarantine = path.join(root, "quarantine");
  }

  writer(writerId: string): string {
    return path.join(this.writers, writerId);
  }

  /** Any file in a writer's directory, by the name that a listing gave. */
  inWriter(writerId: string, name: string): string {
    return path.join(this.writers, writerId, path.basename(name));
  }

  writerLock(writerId: string): string {
    return path.join(this.writers, writerId, "lock");
  }

  reserve(writerId: string): string {
    return path.join(this.writers, writerId, "reserve");
  }

  segment(name: SegmentName): string {
    return path.join(this.writers, name.writerId, `${digits(name.number)}.seg`);
  }

  hint(name: SegmentName): string {
    return path.join(this.writers, name.writerId, `${digits(name.number)}.hint`);
  }

  headsFile(writerId: string): string {
    return path.join(this.heads, `${writerId}.json`);
  }

  agent(agentId: string): string {
    return path.join(this.agents, encodeAgentName(agentId));
  }

  agentLock(agentId: string): string {
    return path.join(this.agent(agentId), "lock");
  }

  manifest(number: number): string {
    return path.join(this.manifests, `${digits(number)}.json`);
  }

  /** Where a damaged segment goes; `time` keeps two of one name apart. */
  quarantined(name: SegmentName, time: number): string {
    return path.join(this.quarantine, `${name.writerId}-${digits(name.number)}-${time}.seg`);
  }

  /** Where any other damaged file goes. */
  quarantinedFile(file: string, time: number): string {
    return path.join(this.quarantine, `${path.relative(this.root, file).split(path.sep).join("-")}-${time}`);
  }

  /** The directories below the root, in the order in which they are created. */
  directories(): readonly string[] {
    return [this.writers, this.heads, this.agents, this.manifests, this.maintenance, this.quarantine];
  }
}
