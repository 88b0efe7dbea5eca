/** The queue as components show it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { usePendingWrites } from "@syncline/client/react";
import type { LocalDatabase } from "../src/database.js";
import { openDatabase } from "./databases.js";
import { contact } from "./driven.js";
import { render } from "./render.js";
import { until } from "./served.js";

test("a long queue is not read after each write, and is shown whole after a while", async (context) => {
  const opened = await openDatabase("sqlite");
  const fill = (from: number, to: number) => opened.query(
    `WITH RECURSIVE n(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM n WHERE n < ${to}) INSERT INTO "contacts" ("id", "first_name") SELECT 'c' || n, 'C' FROM n`);
  await fill(1, 1_001);
  let reads = 0;
  const database: LocalDatabase = { ...opened, query: (sql, parameters) => {
    if (sql.includes(`"state" <> 'acknowledged'`)) reads += 1;
    return opened.query(sql, parameters);
  } };
  // No time passes but what the test lets pass. Newer than the types.
  (context.mock.timers.enable as unknown as (options: object) => void)({ apis: ["setTimeout"] });
  const turns = async (is: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 10_000 && !is(); turn += 1) await new Promise((resume) => setImmediate(resume));
  };
  const page = await render(() => usePendingWrites(database)?.length);
  await turns(() => page.current === 1_001);
  for (const id of ["x", "y", "z"]) await contact(database, id);
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resume) => setImmediate(resume));
  assert.deepEqual([page.current, reads], [1_001, 1]);
  context.mock.timers.tick(1_000);
  await turns(() => page.current === 1_004);
  assert.deepEqual([page.current, reads], [1_004, 2]);
  context.mock.timers.tick(1_000);
  context.mock.timers.reset();
  await database.query(`DELETE FROM "_changes" WHERE "id" > 3`);
  await until("a short one is shown at once", async () => page.current === 3);
  page.unmount();
});
