import { program } from "../../tooling/tsup.preset.js";

export default program({
  entry: {
    main: "src/main.ts",
    driver: "src/driver/main.ts",
    explorer: "src/exploration/explorer.ts",
    tender: "src/tender/main.ts",
    "hostile-reader": "src/hostile/reader.ts",
  },
});
