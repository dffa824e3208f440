import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { CkptError } from "@ckpt/errors";
import type { LanguageModel } from "ai";

/**
 * The model behind an OpenAI-compatible endpoint, from `CKPT_MODEL_URL` (its base, as in `http://localhost:11434/v1`), `CKPT_MODEL_NAME`
 * and `CKPT_MODEL_KEY` (where the endpoint wants one). Undefined when no URL is set; `CKPT_INVALID_ARGUMENT` when the settings
 * cannot work.
 */
export function endpointModel(env: Readonly<Record<string, string | undefined>>): LanguageModel | undefined {
  const { CKPT_MODEL_URL: url, CKPT_MODEL_KEY: apiKey, CKPT_MODEL_NAME: name } = env;
  if (!url) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: `CKPT_MODEL_URL is not an http(s) URL: ${JSON.stringify(url)}.`,
      hint: "Give the base of the API, for example http://localhost:11434/v1.",
    });
  }
  if (!name) {
    throw new CkptError("CKPT_INVALID_ARGUMENT", {
      message: "CKPT_MODEL_URL is set, but CKPT_MODEL_NAME is not.",
      hint: "Set CKPT_MODEL_NAME to a model that the endpoint serves.",
    });
  }
  const provider = createOpenAICompatible({ name: "endpoint", baseURL: url, ...(apiKey ? { apiKey } : {}) });
  return provider.chatModel(name);
}
