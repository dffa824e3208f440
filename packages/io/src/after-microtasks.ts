/** Resolves when the work that runs now has ended, and every microtask that it led to. */
export function afterMicrotasks(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
