/** A database that tabs share, while another tab takes it over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { pgliteDatabase } from "../src/pglite.js";
import { freshPglite } from "./fresh-pglite.js";

/** A database as a worker shares it, of which `_cleanupBlob` ends when it is told to. */
async function open() {
  let takenOver = (): void => undefined;
  const failures: ((error: Error) => void)[] = [];
  const shared = Object.assign(await freshPglite(), {
    onLeaderChange: (see: () => void) => {
      takenOver = see;
      return () => undefined;
    },
    _cleanupBlob: () => new Promise<void>((_, fail) => failures.push(fail)),
  });
  return { shared, database: pgliteDatabase(shared), takeOver: () => takenOver(), failures };
}

test("what nobody waits for fails unheard when another tab takes the database over", async () => {
  const { shared, database, takeOver, failures } = await open();
  await database.exec("SELECT 1");
  assert.equal(failures.length, 1, "exec does not wait for the cleaning");
  // As PGlite's worker ends what was asked of the tab that has gone: an unhandled rejection would fail this test.
  takeOver();
  failures[0]!(new Error("Leader changed, pending operation in indeterminate state"));
  await setImmediate();
  await setImmediate();
  await shared.close();
});

test("a cleaning that fails otherwise is told to who waits for it", async () => {
  const { shared, failures } = await open();
  const asked = shared.query("SELECT 1");
  while (failures.length === 0) await setImmediate();
  failures[0]!(new Error("no such file"));
  await assert.rejects(asked, /no such file/);
  await shared.close();
});
