import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { MockLanguageModelV3 } from "ai/test";
import { random } from "../shared/random.js";
import { countOccurrences } from "./plans/count.js";
import type { Decision, Plan } from "./plans/decision.js";
import { edit } from "./plans/edit.js";
import { find } from "./plans/find.js";
import { outline } from "./plans/outline.js";
import { readTranscript } from "./transcript.js";

const PLANS: readonly Plan[] = [outline, countOccurrences, edit, find];

export interface ScriptedModelOptions {
  readonly seed: number;
  /** How long an answer takes, in milliseconds: between `min` and `max`, drawn from the seed. */
  readonly latencyMs: { readonly min: number; readonly max: number };
}

/**
 * A model without a network: it reads the conversation that the SDK hands it and answers with the next tool call. It keeps
 * nothing between calls, so the same conversation gets the same answer in whichever process it is asked.
 */
export function scriptedModel({ seed, latencyMs }: ScriptedModelOptions): MockLanguageModelV3 {
  return new MockLanguageModelV3({
    provider: "scripted",
    modelId: "scripted",
    doGenerate: async ({ prompt, abortSignal }) => {
      const transcript = readTranscript(prompt);
      const decision = PLANS.find((plan) => plan.matches(transcript.request))!.next(transcript);
      const place = createHash("sha256").update(`${prompt.length} ${transcript.request}`).digest();
      const draw = random(seed, place.readUInt32LE());
      const delayMs = latencyMs.min + draw() * (latencyMs.max - latencyMs.min);
      await pause(delayMs, undefined, abortSignal === undefined ? {} : { signal: abortSignal });
      return answer(decision, `call-${place.toString("hex", 0, 6)}`, JSON.stringify(prompt).length);
    },
  });
}

function answer({ tool, input }: Decision, toolCallId: string, promptLength: number) {
  const text = JSON.stringify(input);
  const [asked, said] = [Math.ceil(promptLength / 4), Math.ceil(text.length / 4)];
  return {
    content: [{ type: "tool-call" as const, toolCallId, toolName: tool, input: text }],
    finishReason: { unified: "tool-calls" as const, raw: undefined },
    usage: {
      inputTokens: { total: asked, noCache: asked, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: said, text: said, reasoning: 0 },
    },
    warnings: [],
  };
}
