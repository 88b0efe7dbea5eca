/** `npm start`: everything that the example needs, and the example. `-- --fresh` begins with new books. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ledger, send } from "./ledger.mjs";
import { findBinary, HERE, startPage, startServer } from "./stack.mjs";

const ROOT = join(HERE, "../..");
const DATA = join(HERE, ".data");
const RUNTIME = join(ROOT, "packages/client");
const isEdited = process.argv.includes("--dev");
// Another port while it is edited: at the first one the service worker answers with the page as it was built.
const [pagePort, serverPort] = [Number(process.env.PORT ?? (isEdited ? 5181 : 5180)), Number(process.env.SYNCLINE_PORT ?? 8090)];

/** Runs a command to its end, which must be a good one. */
function run(directory, command, ...args) {
  console.log(`> ${command} ${args.join(" ")}`);
  const { status } = spawnSync(command, args, { cwd: directory, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (!findBinary()) run(ROOT, "cargo", "build");
const built = join(RUNTIME, "dist/index.js");
const edited = readdirSync(join(RUNTIME, "src")).map((name) => statSync(join(RUNTIME, "src", name)).mtimeMs);
if (!existsSync(built) || statSync(built).mtimeMs < Math.max(...edited)) {
  if (!existsSync(join(RUNTIME, "node_modules"))) run(RUNTIME, "npm", "ci");
  run(RUNTIME, "npm", "run", "build");
}
if (!existsSync(join(HERE, "node_modules"))) run(HERE, "npm", "ci");
if (process.argv.includes("--fresh")) rmSync(DATA, { recursive: true, force: true });

const isNew = !existsSync(DATA);
const server = await startServer({ binary: findBinary(), data: DATA, port: serverPort });
if (isNew) await send(server, server.users[0].token, ledger());
const page = await startPage({ server, port: pagePort, mode: isEdited ? "edit" : "build" });
console.log(`The books are open at ${page.url}, their server at ${server.url}. Ctrl-C closes both.`);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await Promise.all([page.stop(), server.stop()]);
    process.exit(0);
  });
}
