import type { Signal } from "../signal.js";

/** What a step did, as one text: its action or tool, and the arguments where they are given; undefined when it says neither. */
export function actionText(signal: Signal): string | undefined {
  const name = signal.action ?? signal.tool;
  const { arguments: given } = signal;
  return name === undefined || given === undefined ? name : `${name} ${asJson(given)}`;
}

/** Arguments that are no plain JSON (they contain themselves, say) tell no steps apart. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
