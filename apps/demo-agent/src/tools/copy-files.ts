import { tool } from "ai";
import { z } from "zod";
import type { AgentState } from "../agent/state.js";
import type { Workshop } from "../agent/workshop.js";
import type { Sandbox } from "./sandbox.js";

export const copyFiles = (folder: Sandbox, workshop: Workshop, state: () => AgentState) =>
  tool({
    description: "Copies files of the folder into the scratch working copy, where they may be edited.",
    inputSchema: z.object({ paths: z.array(z.string()).min(1).max(8) }),
    execute: async ({ paths }) => {
      for (const path of paths) {
        const text = await folder.read(path);
        await workshop.write(path, text);
        state().drafts.set(path, text);
      }
      return { copied: paths };
    },
  });
