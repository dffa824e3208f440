import { defineConfig, type Options } from "tsup";

/** ESM, CommonJS and types from `src/index.ts`: what every published package ships. */
export const library = (options: Options = {}) =>
  defineConfig({
    entry: ["src/index.ts"],
    format: ["esm", "cjs"],
    dts: true,
    clean: true,
    sourcemap: false,
    target: "node20",
    platform: "node",
    treeshake: true,
    ...options,
  });

/** ESM programs for apps: no types, no CommonJS. */
export const program = (options: Options) =>
  defineConfig({ format: ["esm"], dts: false, clean: true, target: "node20", platform: "node", ...options });
