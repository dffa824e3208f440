import { program } from "../../tooling/tsup.preset.js";

export default program({ entry: ["src/main.ts"] });
