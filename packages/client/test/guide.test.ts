/** The package as it is published, and the guide `docs/guide/records.md`, from an empty folder: its files, and its commands in their order. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Page } from "playwright-core";
import { openBrowser, untilShown } from "./browser.js";
import { BINARY, freePort, ROOT, until, type Context } from "./served.js";

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

/** Waits until the page shows these names alone. */
const names = (page: Page, expected: readonly string[]): Promise<void> => untilShown(
  page, `it shows ${expected.join(", ")}`, () => page.getByLabel("Name", { exact: true }).evaluateAll((fields) => fields.map((field) => (field as unknown as { value: string }).value).sort()),
  (found) => isDeepStrictEqual(found, expected),
);

/** What the guide says of its page, done in a browser by who has followed it so far. */
async function followed(context: Context, address: string, server: { stop: () => Promise<void>; start: () => Promise<void> }): Promise<void> {
  const browser = await openBrowser(context);
  const failures: Error[] = [];
  browser.on("weberror", (failure) => failures.push(failure.error()));
  const page = await browser.newPage();
  /** Writes into the field of a name, and leaves it. */
  const rename = async (from: string, to: string): Promise<void> => {
    for (const field of await page.getByLabel("Name", { exact: true }).elementHandles()) {
      if (await field.inputValue() !== from) continue;
      await field.fill(to);
      return page.keyboard.press("Tab");
    }
    assert.fail(`no field has ${from}`);
  };
  await page.goto(address);
  await names(page, ["Ada"]);
  const add = async (name: string): Promise<void> => {
    await page.getByPlaceholder("A name").fill(name);
    await page.getByRole("button", { name: "Add" }).click();
  };
  /** A row is shown with its mark first, and without it once the server has it. */
  const areSent = async (expected: readonly string[]): Promise<void> => {
    await names(page, expected);
    await page.getByRole("listitem").filter({ hasText: "not sent yet" }).first().waitFor({ state: "detached" });
    await page.getByText("Everything is with the server.").waitFor();
  };
  await add("Bea");
  await areSent(["Ada", "Bea"]);
  const second = await browser.newPage();
  await second.goto(address);
  await names(second, ["Ada", "Bea"]);

  await server.stop();
  await add("Cleo");
  await rename("Ada", "Ada Lovelace");
  await page.getByText("2 not sent yet").waitFor();
  await page.reload();
  await names(page, ["Ada Lovelace", "Bea", "Cleo"]);
  assert.equal(await page.getByRole("listitem").filter({ hasText: "not sent yet" }).count(), 2);
  await server.start();
  await areSent(["Ada Lovelace", "Bea", "Cleo"]);
  const kept = await (await fetch(`${address}/api/contacts`)).json() as { name: string }[];
  assert.deepEqual(kept.map(({ name }) => name).sort(), ["Ada Lovelace", "Bea", "Cleo"]);
  await names(second, ["Ada Lovelace", "Bea", "Cleo"]);

  await rename("Cleo", "");
  const refused = page.getByRole("alert");
  await refused.getByText("name: must have 1 character or more").waitFor();
  assert.equal(await page.getByText("Everything is with the server.").count(), 0);
  await refused.getByRole("button", { name: "Let it go" }).click();
  await refused.waitFor({ state: "detached" });
  await page.getByText("Everything is with the server.").waitFor();
  await names(page, ["Ada Lovelace", "Bea", "Cleo"]);
  assert.deepEqual(failures, []);
  await browser.close();
}

test("an application comes of the guide alone", async (context) => {
  const guide = readFileSync(join(ROOT, "docs/guide/records.md"), "utf8");
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

  const running = new Map<string, ReturnType<typeof spawn>>();
  const stop = async (command: string): Promise<void> => {
    const child = running.get(command)!;
    running.delete(command);
    const gone = new Promise((resume) => child.once("close", resume));
    // The shell that it was started by, and what that has started.
    process.kill(-child.pid!, "SIGKILL");
    await gone;
  };
  context.after(async () => {
    for (const command of [...running.keys()]) await stop(command);
    rmSync(home, { recursive: true, force: true });
  });
  /** Starts what runs until it is stopped, and waits for its answer. */
  const start = async (command: string, address: string): Promise<void> => {
    running.set(command, spawn(command, { cwd: folder, env: environment, shell: true, detached: true, stdio: "ignore" }));
    await until(`${command} answers`, () => fetch(address).then(({ ok }) => ok, () => false));
  };
  const address = `http://127.0.0.1:${vite}`;
  const serving: [command: string, answers: string] = [`syncline serve --schema openapi.yaml --data data --auth none --listen 127.0.0.1:${server}`, `http://127.0.0.1:${server}/health`];
  const run: string[] = [];
  for (const step of steps(guide)) {
    if ("file" in step) {
      mkdirSync(dirname(join(folder, step.file)), { recursive: true });
      writeFileSync(join(folder, step.file), ours(step.text));
      continue;
    }
    const command = ours(step.command);
    run.push(step.command);
    if (command.startsWith("syncline serve")) {
      assert.equal(`${command} --listen 127.0.0.1:${server}`, serving[0]);
      await start(...serving);
    } else if (command === "npx vite") {
      await start(`${command} --host 127.0.0.1 --port ${vite} --strictPort`, `${address}/`);
      await followed(context, address, { stop: () => stop(serving[0]), start: () => start(...serving) });
    } else {
      const done = spawnSync(command, { cwd: folder, env: environment, shell: true, encoding: "utf8" });
      assert.equal(done.status, 0, `${command}\n${done.stdout}\n${done.stderr}`);
    }
  }
  assert.ok(run.length >= 11, run.join("\n"));
  // What was built shows the same, at an address of its own, and so with a database of its own.
  const built = await freePort();
  await start(`npx vite preview --host 127.0.0.1 --port ${built} --strictPort`, `http://127.0.0.1:${built}/`);
  const page = await (await openBrowser(context)).newPage();
  await page.goto(`http://127.0.0.1:${built}/`);
  await names(page, ["Ada Lovelace", "Bea", "Cleo"]);
});

test("what is published holds what its modules name, the source that they were built of, and the licences", () => {
  const packed = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: PACKAGE, encoding: "utf8" });
  assert.equal(packed.status, 0, packed.stderr);
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }];
  const names = files.map(({ path }) => path);
  interface Manifest { exports: Record<string, string | Record<string, string>>; version: string; publishConfig?: object }
  const { exports, version, publishConfig } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as Manifest;
  const modules = Object.values(exports).flatMap((paths) => (typeof paths === "string" ? [paths] : Object.values(paths))).map((path) => path.slice(2));
  for (const path of [...modules, "src/index.ts", "README.md", "LICENSE-APACHE", "LICENSE-MIT"]) assert.ok(names.includes(path), `${path}: ${names.join(" ")}`);
  assert.deepEqual(names.filter((path) => !/^(dist|src)\/|^(README\.md|package\.json|LICENSE-\w+)$/.test(path)), []);
  for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) assert.equal(readFileSync(join(PACKAGE, licence), "utf8"), readFileSync(join(ROOT, licence), "utf8"));
  assert.match(readFileSync(join(ROOT, "Cargo.toml"), "utf8"), new RegExp(`^version = "${version}"$`, "m"));
  // A registry takes a package with a scope for a private one.
  assert.deepEqual(publishConfig, { access: "public" });
});
