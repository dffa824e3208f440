import { BinaryLeaf, type StateNode } from "../node.js";
import { type Digest, digest, digestWithPrefix } from "./digest.js";
import { childrenOf, runEnd, standsAlone } from "./grouping.js";
import { FormerGroups, GroupList, KnownGroups } from "./hash-groups.js";
import { isContainer, isLarge, keepHash, metaOf, type NodeMeta, RUN_WEIGHT, weightOf } from "./node-meta.js";

/*
 * The state's Merkle hash, as docs/format.md lays it down. First byte of what is hashed:
 * 2 = large array, 3 = large object, 4 = binary leaf; anything else is JSON text.
 */
export const LARGE_ARRAY = 2;
export const LARGE_OBJECT = 3;
const BINARY = 4;

/** After about so many bytes of work a hashing in slices may pause. */
const SLICE_BYTES = 32_768;

/** The hash of a node, cached by reference. */
export function hashOf(node: StateNode): Digest {
  if (!isContainer(node)) return digest(JSON.stringify(node));
  const meta = metaOf(node);
  if (meta.hash !== undefined) return meta.hash;
  // Most states are one small text, and whoever asks for its hash keeps it.
  if (!isLarge(meta)) return digest(JSON.stringify(node));
  const steps = hashSteps(node);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, as steps of bounded work. The nodes are frozen, so other work may run in between. */
export function* hashSteps(node: StateNode): Generator<void, Digest> {
  if (!isContainer(node)) return digest(JSON.stringify(node));
  const meta = metaOf(node);
  if (meta.hash !== undefined) return meta.hash;
  let hash: Digest;
  if (node instanceof BinaryLeaf) hash = digestWithPrefix(BINARY, node.bytes);
  else hash = isLarge(meta) ? yield* largeHash(node, meta) : digest(JSON.stringify(node));
  keepHash(node, meta, hash);
  return hash;
}

function* largeHash(node: object, meta: NodeMeta): Generator<void, Digest> {
  const children = childrenOf(node);
  const isArray = Array.isArray(node);
  const groups = new GroupList(isArray ? LARGE_ARRAY : LARGE_OBJECT, children.length);
  if (!isArray) groups.addKeys(digest(JSON.stringify(Object.keys(node))));
  const source = KnownGroups.of(meta, children) ?? FormerGroups.of(meta, children);
  let work = 0;
  for (let i = 0; i < children.length; ) {
    const reused = source === undefined ? 0 : source.copyGroup(i, groups);
    if (reused > 0) {
      i += reused;
      continue;
    }
    const child = children[i]!;
    if (standsAlone(child)) {
      groups.add(1, yield* hashSteps(child));
      work += weightOf(child);
      i++;
    } else {
      const end = runEnd(children, i);
      groups.add(end - i, digest(JSON.stringify(children.slice(i, end))));
      work += RUN_WEIGHT;
      i = end;
    }
    if (work > SLICE_BYTES) {
      work = 0;
      yield;
    }
  }
  source?.release();
  meta.former = undefined;
  meta.groups = groups.groups();
  return groups.digest();
}
