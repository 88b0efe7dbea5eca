/**
 * Against the real server: the feed over Electric's own client, and two local databases.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCollection } from "@tanstack/db";
import { pendingChanges, readChanges, rejectedChanges, WriteFailure } from "../src/changes.js";
import { viewCollectionOptions } from "../src/collection.js";
import type { LocalDatabase } from "../src/database.js";
import type { Row } from "../src/entity.js";
import { readRow, readRows } from "../src/rows.js";
import { startSync, type Sync } from "../src/sync.js";
import { deleteRow, insertRow, lastWriteOf, settled, updateRow } from "../src/writes.js";
import { DIALECTS, openDatabase, schemaOf } from "./databases.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";
import { serve, until, type Context } from "./served.js";

async function replica(context: Context, dialect: (typeof DIALECTS)[number], url: string): Promise<{ database: LocalDatabase; sync: Sync }> {
  const database = await openDatabase(dialect);
  const sync = startSync({ apiUrl: url, database, schema: schemaOf(dialect) });
  context.after(() => sync.stop());
  return { database, sync };
}

const settledDown = (database: LocalDatabase) => async () => (await readChanges(database, "1 = 1")).length === 0;
const name = async (database: LocalDatabase, id: string) =>
  (await readRow(database, database.dialect, contactsMeta, id))?.["first_name"];

for (const dialect of DIALECTS) {
  test(`two databases write, go offline, and show the same (${dialect})`, async (context) => {
    const server = await serve(context);
    const [here, there] = [await replica(context, dialect, server.url), await replica(context, dialect, server.url)];
    const [a, b] = [crypto.randomUUID(), crypto.randomUUID()];
    await insertRow(here.database, dialect, contactsMeta, { id: a, first_name: "Ann", score: 2.5, active: true, tags: { deep: [1] }, local_notes: "mine" });
    assert.equal(await name(here.database, a), "Ann");
    await until("the other database shows it", async () => (await name(there.database, a)) === "Ann");
    const row = await readRow(there.database, dialect, contactsMeta, a);
    assert.deepEqual([row?.["score"], row?.["active"], row?.["tags"], row?.["local_notes"]], [2.5, true, { deep: [1] }, null]);
    await until("nothing stays on top", settledDown(here.database));
    assert.equal((await readRow(here.database, dialect, contactsMeta, a))?.["local_notes"], "mine");

    await server.stop();
    await updateRow(here.database, dialect, contactsMeta, a, { first_name: "Anna" });
    await updateRow(there.database, dialect, contactsMeta, a, { email: "a@example.org" });
    await insertRow(there.database, dialect, contactsMeta, { id: b, first_name: "Bob" });
    assert.equal(await name(here.database, a), "Anna");
    assert.equal((await pendingChanges(there.database)).length, 2);
    await server.start();
    for (const { database } of [here, there]) {
      await until("both show all of it", async () => {
        const one = await readRow(database, dialect, contactsMeta, a);
        return one?.["first_name"] === "Anna" && one["email"] === "a@example.org" && (await name(database, b)) === "Bob";
      });
      await until("nothing stays on top", settledDown(database));
    }
    await deleteRow(here.database, contactsMeta, a);
    await until("it is gone there too", async () => (await name(there.database, a)) === undefined);
    const shown = async ({ database }: { database: LocalDatabase }) =>
      (await readRows(database, dialect, contactsMeta)).map(({ local_notes: _, ...row }) => row);
    assert.deepEqual(await shown(here), await shown(there));
  });

  test(`a refused write is rolled back with its reason, a confirmed one waits (${dialect})`, async (context) => {
    const server = await serve(context);
    const { database } = await replica(context, dialect, server.url);
    const id = crypto.randomUUID();
    await insertRow(database, dialect, accountsMeta, { id, name: "Savings" });
    assert.deepEqual(await readRows(database, dialect, accountsMeta), []);
    await settled(database, (await lastWriteOf(database, accountsMeta, id))!);
    await until("it is shown", async () => (await readRows(database, dialect, accountsMeta)).length === 1);
    await updateRow(database, dialect, accountsMeta, id, { name: "x".repeat(81) });
    const writeId = await lastWriteOf(database, accountsMeta, id);
    await assert.rejects(settled(database, writeId!), (error) => error instanceof WriteFailure && error.code === "validation_failed");
    const [refused] = await rejectedChanges(database);
    assert.equal(refused?.error?.fields?.[0]?.field, "name");
    assert.equal((await readRow(database, dialect, accountsMeta, id))?.["name"], "Savings");
  });
}

test("a TanStack collection shows writes and what others write", async (context) => {
  const server = await serve(context);
  const { database } = await replica(context, "pglite", server.url);
  const collection = createCollection(viewCollectionOptions<Row>(database, contactsMeta));
  await collection.preload();
  const id = crypto.randomUUID();
  const write = collection.insert({ id, first_name: "Ann" });
  assert.equal(collection.get(id)?.["first_name"], "Ann");
  await write.isPersisted.promise;
  await until("the row has come back", async () => collection.get(id)?.["_has_local_changes"] === false);
  const answer = await fetch(`${server.url}/api/contacts/${id}`, { method: "PATCH", body: JSON.stringify({ first_name: "Annie" }) });
  assert.equal(answer.status, 200);
  await until("another's change is shown", async () => collection.get(id)?.["first_name"] === "Annie");
  await fetch(`${server.url}/api/contacts/${id}`, { method: "DELETE" });
  await until("the row is gone", async () => !collection.has(id));
});
