/** `Symbol.asyncDispose`, which Node has since 20.5; before that, a symbol of our own that nothing calls. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");
