/**
 * What the fast walk throws when it meets something that it must not take. It knows neither path nor words, and has no
 * stack: `explainRefusal` finds them in a second, slow walk.
 */
const REFUSED: unique symbol = Symbol("refused");

export function refuse(): never {
  throw REFUSED;
}
