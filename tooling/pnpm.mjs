// The bootstrap: on a machine with only Node and npm, fetches the pnpm that `packageManager` names,
// installs from the lockfile, then runs the script given as the first argument.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [script, ...rest] = process.argv.slice(2);
const { packageManager, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const [wantMajor, wantMinor] = engines.node.match(/\d+/g).map(Number);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < wantMajor || (major === wantMajor && minor < wantMinor)) {
  console.error(
    `Node ${engines.node} is needed; this is ${process.versions.node}. Install a newer Node and try again.`,
  );
  process.exit(1);
}

// Ctrl-C goes to the whole process group; what runs below ends in its own time, and this waits for it.
process.on("SIGINT", () => undefined);

function pnpm(label, args, stdout = "inherit") {
  const started = Date.now();
  console.error(`> ${label}`);
  const command = ["--yes", "--prefer-offline", packageManager, ...args];
  const { status, error, signal } = spawnSync("npx", command, {
    cwd: root,
    stdio: ["inherit", stdout, "inherit"],
    shell: process.platform === "win32",
    env: { ...process.env, npm_config_update_notifier: "false", TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (error) console.error(`  npx could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
  return ((Date.now() - started) / 1000).toFixed(1);
}

const quiet = ["--frozen-lockfile", "--prefer-offline", "--reporter=append-only", "--loglevel=warn"];
// What is on stdout is the script's own: it may be data.
const took = pnpm("installing dependencies (the first time takes a while)", ["install", ...quiet], 2);
console.error(`  installed in ${took} s`);
pnpm(`running ${script}`, ["run", "--silent", script, ...rest]);
