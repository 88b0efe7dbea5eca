/** What the example runs on: a Syncline server with the document, its users, and a server for the page. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const HERE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(HERE, "../..");
const DOCUMENT = join(HERE, "openapi.yaml");

/** The household: who may do what is the role that each has as a member. */
const PEOPLE = [
  { user: "ann", name: "Ann", role: "owner" },
  { user: "ben", name: "Ben", role: "editor" },
  { user: "vera", name: "Vera", role: "viewer" },
];

/** The `syncline` binary: SYNCLINE_BINARY, or the one that was built last in this tree. */
export function findBinary() {
  if (process.env.SYNCLINE_BINARY) return process.env.SYNCLINE_BINARY;
  const built = ["release", "debug"].map((kind) => join(ROOT, "target", kind, "syncline")).filter((path) => existsSync(path));
  built.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  return built[0];
}

/**
 * Starts the Syncline server over a data directory. Its `users` have tokens and roles; `stop` and `start` are
 * its outages, and everything lies where it lay after them. Port 0 is one that nobody has.
 */
export async function startServer({ binary, data, port, args = [] }) {
  mkdirSync(data, { recursive: true });
  const run = (...words) => {
    const done = spawnSync(binary, [...words, "--data", data], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`syncline ${words.join(" ")}: ${done.error?.message ?? done.stderr}`);
    return done.stdout.trim();
  };
  const kept = join(data, "example-users.json");
  if (!existsSync(kept)) {
    const users = PEOPLE.map((one) => ({ ...one, token: run("token", "create", "--user", one.user) }));
    for (const { user, role } of PEOPLE) run("member", "add", user, "--role", role);
    writeFileSync(kept, JSON.stringify(users), { mode: 0o600 });
  }
  let child;
  let url = `http://127.0.0.1:${port}`;
  const start = async () => {
    child = spawn(binary, ["serve", "--data", data, "--auth", "token", "--schema", DOCUMENT, "--listen", url.replace("http://", ""), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    process.once("exit", () => child.kill());
    let said = "";
    child.stderr.on("data", (text) => (said = (said + text).slice(-4_000)));
    url = await new Promise((resolve, reject) => {
      // It says where it listens once it is ready.
      createInterface({ input: child.stdout }).once("line", (line) => resolve(line.replace("listening on ", "")));
      child.once("error", reject);
      child.once("close", (status) => reject(new Error(`syncline serve ended with ${status}: ${said}`)));
    });
  };
  const stop = async (signal = "SIGTERM") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  };
  await start();
  return { url, users: JSON.parse(readFileSync(kept, "utf8")), start, stop };
}

/**
 * Serves the page, built or as it is being edited. Reads of `/api` go to the server behind it; shapes are
 * read from there directly, so that their open requests take none of the page's connections. `client` is what
 * the page's client is told besides, as how long it waits. Port 0 is one that nobody has.
 */
export async function startPage({ server, port, mode, client }) {
  const { build, createServer: createDevServer, preview } = await import("vite");
  const setting = JSON.stringify({ shapeUrl: `${server.url}/v1/shape`, users: server.users, client });
  const answer = (served) => {
    served.middlewares.use("/setting.json", (_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" }).end(setting);
    });
  };
  const on = { host: "127.0.0.1", port, strictPort: true, proxy: { "/api": { target: server.url } } };
  const config = {
    root: HERE, logLevel: "error",
    server: on, preview: on,
    plugins: [{ name: "setting", configureServer: answer, configurePreviewServer: answer }],
  };
  const started = (page) => ({ url: page.resolvedUrls.local[0].replace(/\/$/, ""), stop: () => page.close() });
  if (mode === "edit") {
    const page = await createDevServer(config);
    return started(await page.listen());
  }
  if (mode === "build") await build({ root: HERE, logLevel: "error" });
  return started(await preview(config));
}
