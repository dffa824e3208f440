import { tool } from "ai";
import { z } from "zod";
import type { Sandbox } from "./sandbox.js";

const MAX_LISTED = 60;

export const listFiles = (folder: Sandbox) =>
  tool({
    description: "Lists the text files under a path of the folder, with their sizes in bytes.",
    inputSchema: z.object({ path: z.string().default(".").describe("relative to the folder") }),
    execute: async ({ path }) => {
      const files = await folder.list(path);
      return { total: files.length, files: files.slice(0, MAX_LISTED) };
    },
  });
