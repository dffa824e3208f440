import type { LanguageModel } from "ai";
import { endpointModel } from "./endpoint.js";
import { type ScriptedModelOptions, scriptedModel } from "./scripted.js";

/** The endpoint that the environment names, or else the scripted model. */
export function chooseModel(
  env: Readonly<Record<string, string | undefined>>,
  scripted: ScriptedModelOptions,
): { readonly model: LanguageModel; readonly described: string } {
  const endpoint = endpointModel(env);
  if (endpoint !== undefined) {
    return { model: endpoint, described: `${env.CKPT_MODEL_NAME} at ${new URL(env.CKPT_MODEL_URL!).origin}` };
  }
  const { min, max } = scripted.latencyMs;
  return { model: scriptedModel(scripted), described: `scripted, answers in ${min} to ${max} ms` };
}
