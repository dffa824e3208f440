import { library } from "../../tooling/tsup.preset.js";

// Optional dependencies are not external by default, and a bundled native module would not find its binary.
export default library({ external: ["fs-native-extensions"] });
