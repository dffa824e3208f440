import type { SeededRandom } from "../faulty-fs/random.js";

type Container = Record<string, unknown> | unknown[];

function leaf(random: SeededRandom): unknown {
  switch (random.below(10)) {
    case 0:
      return random.next() - 2 ** 31;
    case 1:
      return random.pick([Number.NaN, -0, 0.1, Number.NEGATIVE_INFINITY]);
    case 2:
      return BigInt(random.next()) * 2n ** 40n;
    case 3:
      return new Date(random.next());
    case 4:
      return random.bytes(random.pick([0, 3, 300, 9_000]));
    case 5:
      return random.pick([null, undefined, true, false, ""]);
    case 6:
      return new Set([random.below(5), random.below(5)]);
    case 7:
      return new Map<unknown, unknown>([[random.below(9), "text"]]);
    default:
      return random
        .pick(["a", "ü", "😀", "\ud800", "line\n"])
        .repeat(random.below(random.pick([3, 80, 3_000])));
  }
}

function container(random: SeededRandom, depth: number): Container {
  const length = random.below(7);
  const node = () => (depth > 0 && random.chance(0.4) ? container(random, depth - 1) : leaf(random));
  if (random.chance(0.5)) return Array.from({ length }, node);
  return Object.fromEntries(
    Array.from({ length }, () => [random.pick(["a", "b", "$ckpt", "key"]) + random.below(4), node()]),
  );
}

/** A state of random shape, with values of all kinds. Same generator, same state. */
export function richState(random: SeededRandom): { log: unknown[]; data: Container } {
  return { log: Array.from({ length: random.below(40) }, () => leaf(random)), data: container(random, 4) };
}

/** What an agent does to its state in a step: the log grows or is trimmed, something inside changes or moves. The state given stays. */
export function edited(state: { log: unknown[]; data: Container }, random: SeededRandom): typeof state {
  const log = random.chance(0.2) ? state.log.slice(1) : [...state.log];
  log.push(leaf(random));
  if (random.chance(0.2)) log.splice(random.below(log.length), 1);
  if (random.chance(0.2)) log.reverse();
  return { log, data: editContainer(state.data, random) };
}

function editContainer(node: Container, random: SeededRandom): Container {
  if (Array.isArray(node)) {
    if (node.length === 0) return [leaf(random)];
    const i = random.below(node.length);
    const inner = node[i];
    return node.with(i, isContainer(inner) ? editContainer(inner, random) : leaf(random));
  }
  const key = random.pick([...Object.keys(node), "new"]);
  if (random.chance(0.2)) return Object.fromEntries(Object.entries(node).filter(([name]) => name !== key));
  const inner = node[key];
  return { ...node, [key]: isContainer(inner) ? editContainer(inner, random) : leaf(random) };
}

function isContainer(value: unknown): value is Container {
  return (
    Array.isArray(value) ||
    (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype)
  );
}
