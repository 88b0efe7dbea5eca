/** The package as it is published, and the guide `docs/guide/records.md`, from an empty folder: its files, and its commands in their order. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { BINARY, freePort, ROOT, until } from "./served.js";

const PACKAGE = join(ROOT, "packages/client");
/** What a fresh copy of the source does not have. */
const MADE = ["node_modules", "dist", "dist-test"];

type Step = { file: string; text: string } | { command: string };

/** The page's files by their paths, and its commands. A file's name stands alone before its text. */
function steps(page: string): Step[] {
  const found = [...page.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n([^]*?)^```$/gm)];
  return found.flatMap(([, file, language, text]): Step[] => {
    if (file !== undefined) return [{ file, text: text! }];
    return language === "sh" ? text!.trim().split("\n").map((command) => ({ command })) : [];
  });
}

test("an application comes of the guide alone", async (context) => {
  const page = readFileSync(join(ROOT, "docs/guide/records.md"), "utf8");
  const home = mkdtempSync(join(tmpdir(), "syncline-guide-"));
  const folder = join(home, "address-book");
  const programs = join(home, "programs");
  mkdirSync(folder);
  mkdirSync(programs);
  symlinkSync(BINARY, join(programs, "syncline"));
  const environment = { ...process.env, HOME: home, PATH: `${programs}${delimiter}${process.env["PATH"]}`, npm_config_cache: process.env["npm_config_cache"] ?? `${process.env["HOME"]}/.npm` };
  cpSync(PACKAGE, join(home, "syncline/packages/client"), { recursive: true, filter: (path) => !MADE.includes(basename(path)) });
  const [server, vite] = [await freePort(), await freePort()];
  const ours = (text: string): string => text.replaceAll("127.0.0.1:8080", `127.0.0.1:${server}`);

  const running: ReturnType<typeof spawn>[] = [];
  context.after(() => {
    for (const { pid } of running) process.kill(-pid!, "SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });
  /** Starts what runs until it is stopped, and waits for its answer. */
  const start = async (command: string, address: string): Promise<void> => {
    running.push(spawn(command, { cwd: folder, env: environment, shell: true, detached: true, stdio: "ignore" }));
    await until(`${command} answers`, () => fetch(address).then(({ ok }) => ok, () => false));
  };
  const run: string[] = [];
  for (const step of steps(page)) {
    if ("file" in step) {
      mkdirSync(dirname(join(folder, step.file)), { recursive: true });
      writeFileSync(join(folder, step.file), ours(step.text));
      continue;
    }
    const command = ours(step.command);
    run.push(step.command);
    if (command.startsWith("syncline serve")) {
      await start(`${command} --listen 127.0.0.1:${server}`, `http://127.0.0.1:${server}/health`);
    } else if (command === "npx vite") {
      await start(`${command} --host 127.0.0.1 --port ${vite} --strictPort`, `http://127.0.0.1:${vite}/`);
    } else {
      const done = spawnSync(command, { cwd: folder, env: environment, shell: true, encoding: "utf8" });
      assert.equal(done.status, 0, `${command}\n${done.stdout}\n${done.stderr}`);
    }
  }
  assert.ok(run.length >= 11, run.join("\n"));
  // Through the page's own address, as the page writes and asks for them: a browser tells of each write whose it is.
  const address = `http://127.0.0.1:${vite}`;
  const write = { write_id: "1", writes: [{ entity: "contacts", id: "01a201c3-7806-7b30-9972-ddf22a714fb6", action: "create", values: { name: "Bea" } }] };
  const written = await fetch(`${address}/api/writes`, {
    method: "POST", headers: { origin: address, "content-type": "application/json" }, body: JSON.stringify({ transactions: [write] }),
  });
  assert.equal(written.status, 200, await written.text());
  const rows = await (await fetch(`${address}/api/contacts`)).json() as { items?: { name: string }[] } | { name: string }[];
  assert.deepEqual((Array.isArray(rows) ? rows : rows.items ?? []).map(({ name }) => name).sort(), ["Ada", "Bea"]);
  const script = await fetch(`${address}/src/main.tsx`);
  assert.match(await script.text(), /initDatabase/);
});

test("what is published holds what its modules name, the source that they were built of, and the licences", () => {
  const packed = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: PACKAGE, encoding: "utf8" });
  assert.equal(packed.status, 0, packed.stderr);
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }];
  const names = files.map(({ path }) => path);
  const { exports, version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { exports: Record<string, Record<string, string>>; version: string };
  const modules = Object.values(exports).flatMap((paths) => Object.values(paths)).map((path) => path.slice(2));
  for (const path of [...modules, "src/index.ts", "README.md", "LICENSE-APACHE", "LICENSE-MIT"]) assert.ok(names.includes(path), `${path}: ${names.join(" ")}`);
  assert.deepEqual(names.filter((path) => !/^(dist|src)\/|^(README\.md|package\.json|LICENSE-\w+)$/.test(path)), []);
  for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) assert.equal(readFileSync(join(PACKAGE, licence), "utf8"), readFileSync(join(ROOT, licence), "utf8"));
  assert.match(readFileSync(join(ROOT, "Cargo.toml"), "utf8"), new RegExp(`^version = "${version}"$`, "m"));
});
