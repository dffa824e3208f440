/** Whether a value is a promise of any kind: of another realm or another library too, which `instanceof Promise` does not see. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return typeof (value as { readonly then?: unknown }).then === "function";
}

/** Hands a promise's failure to `onFailure`, so that it is not an unhandled rejection. */
export function onRejection(promise: PromiseLike<unknown>, onFailure: (error: unknown) => void): void {
  Promise.resolve(promise).catch(onFailure);
}
