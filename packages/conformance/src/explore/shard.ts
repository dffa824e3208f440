/** One of several parts of an exploration, which can run in processes of their own beside each other. */
export interface Shard {
  /** From 0 on. */
  readonly index: number;
  readonly count: number;
}

const WHOLE: Shard = { index: 0, count: 1 };

/**
 * Which of `total` moments, from 0 on, are looked at: every n-th, and of those the shard's stretch. Neighbours stay together, since what they
 * leave is often the same and looked at once.
 */
export function momentsOf(total: number, every = 1, { index, count }: Shard = WHOLE): number[] {
  const all = Math.ceil(total / every);
  const [from, to] = [Math.floor((index * all) / count), Math.floor(((index + 1) * all) / count)];
  return Array.from({ length: to - from }, (_, i) => (from + i) * every);
}
