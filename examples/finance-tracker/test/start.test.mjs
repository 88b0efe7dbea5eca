/** `npm start`, `npm run dev` and their end by Ctrl-C, as the README says, in a copy of the example with data and ports of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { findBinary, HERE } from "../scripts/stack.mjs";

const ROOT = join(HERE, "../..");
/** What a fresh copy of the source does not have; the packages are those that are installed. */
const MADE = ["node_modules", "dist", ".data", "screenshots"];
const SAID = /^The books are open at (\S+), their server at (\S+)\. Ctrl-C closes both\.$/;
/** Only waited out where something is wrong, as the other tests of this example do. */
const TIMEOUT_MS = 1_200_000;

/** A port that nobody listens on. */
const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

/**
 * The tree as the example sees it: its own files are copied, the others led to. The folder of packages is a new one, as what
 * edits the page keeps things in it.
 */
function copyOfExample(context) {
  const home = mkdtempSync(join(tmpdir(), "finance-tracker-start-"));
  context.after(() => rmSync(home, { recursive: true, force: true }));
  const copy = join(home, "examples/finance-tracker");
  mkdirSync(join(home, "examples"));
  cpSync(HERE, copy, { recursive: true, filter: (path) => !MADE.includes(basename(path)) });
  symlinkSync(join(ROOT, "packages"), join(home, "packages"));
  mkdirSync(join(copy, "node_modules"));
  for (const name of readdirSync(join(HERE, "node_modules"))) {
    if (name !== ".vite") symlinkSync(join(HERE, "node_modules", name), join(copy, "node_modules", name));
  }
  return copy;
}

/** Runs a command of the README until it says that the books are open. `interrupt` is Ctrl-C in its terminal. */
async function run(context, directory, ports, ...words) {
  const env = { ...process.env, ...ports, SYNCLINE_BINARY: findBinary() };
  // A group of its own, as a terminal gives a command: Ctrl-C goes to all that it has started.
  const child = spawn("npm", words, { cwd: directory, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  const toGroup = (signal) => process.kill(-child.pid, signal);
  let isOver = false;
  ended.then(() => (isOver = true));
  context.after(() => isOver || toGroup("SIGKILL"));
  const lines = [];
  const [, page, server] = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      if (SAID.test(line)) resolve(line.match(SAID));
    });
    child.stderr.on("data", (text) => lines.push(String(text)));
    ended.then(() => reject(new Error(`npm ${words.join(" ")} ended: ${lines.join("\n")}`)));
  });
  const interrupt = async () => {
    toGroup("SIGINT");
    // Well, or by the signal, as the shell in which npm starts it has it. It is told once nothing of it writes any more.
    const { code, signal } = await ended;
    assert.ok(code === 0 || signal === "SIGINT", `it ended with ${signal ?? code}: ${lines.join("\n")}`);
    for (const url of [page, server]) await assert.rejects(fetch(url), TypeError);
  };
  return { page, server, interrupt };
}

/** What a person who opens the page is given, and a way to its records. */
async function opened({ page, server }) {
  const shown = await fetch(page);
  assert.equal(shown.status, 200);
  assert.match(await shown.text(), /<div id="root">/);
  assert.equal((await fetch(`${server}/health`)).status, 200);
  const { shapeUrl, users } = await (await fetch(`${page}/setting.json`)).json();
  assert.equal(shapeUrl, `${server}/v1/shape`);
  const headers = { authorization: `Bearer ${users.find(({ user }) => user === "ann").token}`, "content-type": "application/json" };
  const accounts = async () => (await (await fetch(`${page}/api/accounts`, { headers })).json()).map(({ name }) => name).sort();
  const add = async (name) => {
    const answer = await fetch(`${page}/api/accounts`, { method: "POST", headers: { ...headers, origin: page }, body: JSON.stringify({ name, kind: "cash", opening_balance: "0.00" }) });
    assert.equal(answer.status, 201, await answer.text());
  };
  return { accounts, add };
}

test("npm start opens the books, Ctrl-C closes them, and they are there again until they are to be new", { timeout: TIMEOUT_MS }, async (context) => {
  assert.ok(findBinary(), "this test needs the server: `cargo build`, or name it in SYNCLINE_BINARY");
  const example = copyOfExample(context);
  const ports = { PORT: String(await freePort()), SYNCLINE_PORT: String(await freePort()) };
  const OF_LEDGER = ["Credit card", "Everyday", "Rainy days", "Wallet"];

  const first = await run(context, example, ports, "start");
  assert.deepEqual([first.page, first.server], [`http://127.0.0.1:${ports.PORT}`, `http://127.0.0.1:${ports.SYNCLINE_PORT}`]);
  const books = await opened(first);
  assert.deepEqual(await books.accounts(), OF_LEDGER);
  await books.add("Under the mattress");
  await first.interrupt();

  const edited = await run(context, example, ports, "run", "dev");
  assert.deepEqual(await (await opened(edited)).accounts(), [...OF_LEDGER, "Under the mattress"].sort());
  await edited.interrupt();

  const fresh = await run(context, example, ports, "start", "--", "--fresh");
  assert.deepEqual(await (await opened(fresh)).accounts(), OF_LEDGER);
  await fresh.interrupt();
});
