/** What the packages' tests are started with: none of them waits for ever. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./served.js";

const PATIENCE = join(ROOT, "packages/patience.mjs");

test("a test that hangs is ended and named, what it began is put away, and those behind it run", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "syncline-patience-"));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "hangs.test.mjs"), `
    import { test } from "node:test";
    const never = () => new Promise(() => setInterval(() => {}, 1_000));
    test("hangs", async (context) => { context.after(() => console.log("is put away")); await never(); });
    test("has its own time", { timeout: 30 }, never);
    test("comes behind", () => {});
  `);
  const patience = "1000";
  const done = spawnSync(process.execPath, ["--test", "--test-force-exit", "--test-reporter", "tap", "--import", PATIENCE, "hangs.test.mjs"], {
    cwd: folder, encoding: "utf8", timeout: 600_000, env: { ...process.env, NODE_TEST_CONTEXT: undefined, SYNCLINE_TEST_TIMEOUT_MS: patience },
  });
  assert.equal(done.status, 1, done.stderr);
  assert.match(done.stdout, new RegExp(`not ok 1 - hangs[^]*test timed out after ${patience}ms[^]*not ok 2 - has its own time[^]*test timed out after 30ms[^]*\\bok 3 - comes behind`));
  assert.match(done.stdout, /is put away/);
});

test("the packages' tests are started with it", () => {
  for (const name of ["packages/client", "packages/shapes", "plugins/opencode"]) {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, name, "package.json"), "utf8")) as { scripts: { test: string } };
    assert.match(scripts.test, /node --test --import \.\.\/(\.\.\/packages\/)?patience\.mjs /, name);
  }
});
