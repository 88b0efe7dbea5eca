/** A change of a row that is deleted before it was sent: what was typed is kept where the deletion is refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { exportWrites, readChanges, rejectedChanges } from "../src/changes.js";
import type { EntityMeta } from "../src/entity.js";
import { openSchema } from "../src/opening.js";
import { startSync } from "../src/sync.js";
import { pgliteDatabase } from "../src/pglite.js";
import { deleteRow, insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openSqlite } from "./databases.js";
import { generated } from "./documents.js";
import type { Dialect } from "../src/database.js";
import { freshPglite } from "./fresh-pglite.js";
import { ROOT, serve, until, type Context } from "./served.js";

const document = readFileSync(join(ROOT, "examples/finance-tracker/openapi.yaml"), "utf8");
const schemaOf = generated(document);

/** A household's database that follows a server, and whose connection may be cut. */
async function household(context: Context, dialect: Dialect) {
  const server = await serve(context, document);
  const schema = schemaOf(dialect);
  const database = dialect === "sqlite" ? openSqlite() : pgliteDatabase(await freshPglite());
  await openSchema(database, schema);
  const net = { isOffline: false };
  const sync = startSync({
    apiUrl: server.url, database, schema,
    fetch: (async (url: string, init?: RequestInit) => {
      if (net.isOffline) throw new TypeError("fetch failed");
      return fetch(url, init);
    }) as typeof fetch,
  });
  context.after(() => sync.stop());
  const metaOf = (name: string): EntityMeta => schema.entities.find(({ meta }) => meta.name === name)!.meta;
  const isDrained = (): Promise<unknown> =>
    until("all is answered", async () => (await readChanges(database, `"state" <> 'rejected'`)).length === 0);
  return { server, database, net, metaOf, isDrained };
}

for (const dialect of DIALECTS) {
  test(`an unsent change is among the refused writes where somebody's own keeps its row from being deleted (${dialect})`, async (context) => {
    const { server, database, net, metaOf, isDrained } = await household(context, dialect);
    const [category, id] = [crypto.randomUUID(), crypto.randomUUID()];
    await insertRow(database, dialect, metaOf("categories"), { id: category, name: "Fun", kind: "expense" });
    await insertRow(database, dialect, metaOf("budgets"), { id, category_id: category, month: "2026-11", amount: "160.00" });
    await isDrained();
    net.isOffline = true;
    await updateRow(database, dialect, metaOf("budgets"), id, { amount: "200.00", note: "for the trip" });
    await deleteRow(database, metaOf("budgets"), id);
    const theirs = await fetch(`${server.url}/api/budgets/${id}`, { method: "PATCH", body: JSON.stringify({ amount: "300.00" }) });
    assert.equal(theirs.status, 200, await theirs.text());
    net.isOffline = false;
    await isDrained();
    assert.deepEqual((await rejectedChanges(database)).map(({ operation, error }) => [operation, error?.code]), [["update", "conflict"], ["delete", "conflict"]]);
    assert.match(await exportWrites(database), /for the trip/);
  });

  test(`a row that was changed before it was deleted is gone, whatever became of the change (${dialect})`, async (context) => {
    const { server, database, net, metaOf, isDrained } = await household(context, dialect);
    const [account, kept, refused] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    await insertRow(database, dialect, metaOf("accounts"), { id: account, name: "Everyday", kind: "checking" });
    for (const id of [kept, refused]) {
      await insertRow(database, dialect, metaOf("transactions"), { id, account_id: account, date: "2026-11-22", amount: "-1.00", description: "Bread" });
    }
    await isDrained();
    assert.deepEqual(await rejectedChanges(database), []);
    net.isOffline = true;
    await updateRow(database, dialect, metaOf("transactions"), kept, { amount: "-2.00" });
    await updateRow(database, dialect, metaOf("transactions"), refused, { description: "" });
    for (const id of [kept, refused]) await deleteRow(database, metaOf("transactions"), id);
    net.isOffline = false;
    await isDrained();
    assert.deepEqual((await rejectedChanges(database)).map(({ operation, key, error }) => [operation, key, error?.code]), [["update", refused, "validation_failed"]]);
    for (const id of [kept, refused]) {
      const { status } = await fetch(`${server.url}/api/transactions/${id}`);
      assert.ok(status === 404 || status === 410, `${status}`);
    }
  });
}
