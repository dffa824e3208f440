import { program } from "../../tooling/tsup.preset.js";

export default program({ entry: { driver: "src/driver/main.ts" } });
