/**
 * Loaded before each file of tests (`node --test --import`): gives every test that names no `timeout` an end. On the command
 * line `--test-timeout` bounds a whole file, so that one hanging test would take the hour of all, and nobody were told its name.
 */
import assert from "node:assert/strict";
import { createRequire, syncBuiltinESMExports } from "node:module";

/** A test that has not ended by then never will: longer than any wait in it, on a machine that is busy with other things. */
const TIMEOUT_MS = Number(process.env["SYNCLINE_TEST_TIMEOUT_MS"] ?? 1_200_000);

const runner = createRequire(import.meta.url)("node:test");
for (const name of ["test", "before", "after", "beforeEach", "afterEach"]) {
  const given = runner[name];
  const around = name === "test" ? testOf(given) : (run, options) => given(run, { timeout: TIMEOUT_MS, ...options });
  runner[name] = Object.assign(around, given);
}
syncBuiltinESMExports();

function testOf(test) {
  return (name, ...rest) => {
    const run = rest.pop();
    assert.equal(typeof run, "function", "a test has a name, and a function at the end");
    return test(name, { timeout: TIMEOUT_MS, ...rest[0] }, run);
  };
}
