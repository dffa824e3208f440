import { library } from "../../tooling/tsup.preset.js";

// The file system and the explorers need no vitest, so each can be loaded without it.
export default library({ entry: ["src/index.ts", "src/faulty-fs.ts", "src/explore.ts"] });
