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
import { PGlite } from "@electric-sql/pglite";
import { DIALECTS, openSqlite } from "./databases.js";
import { generated } from "./documents.js";
import { ROOT, serve, until } from "./served.js";

const document = readFileSync(join(ROOT, "examples/finance-tracker/openapi.yaml"), "utf8");
const schemaOf = generated(document);

for (const dialect of DIALECTS) {
  test(`an unsent change is among the refused writes where somebody's own keeps its row from being deleted (${dialect})`, async (context) => {
    const server = await serve(context, document);
    const schema = schemaOf(dialect);
    const database = dialect === "sqlite" ? openSqlite() : pgliteDatabase(await PGlite.create());
    await openSchema(database, schema);
    let isOffline = false;
    const sync = startSync({
      apiUrl: server.url, database, schema,
      fetch: (async (url: string, init?: RequestInit) => {
        if (isOffline) throw new TypeError("fetch failed");
        return fetch(url, init);
      }) as typeof fetch,
    });
    context.after(() => sync.stop());
    const metaOf = (name: string): EntityMeta => schema.entities.find(({ meta }) => meta.name === name)!.meta;
    const [category, id] = [crypto.randomUUID(), crypto.randomUUID()];
    await insertRow(database, dialect, metaOf("categories"), { id: category, name: "Fun", kind: "expense" });
    await insertRow(database, dialect, metaOf("budgets"), { id, category_id: category, month: "2026-11", amount: "160.00" });
    await until("all is there", async () => (await readChanges(database, "1 = 1")).length === 0);
    isOffline = true;
    await updateRow(database, dialect, metaOf("budgets"), id, { amount: "200.00", note: "for the trip" });
    await deleteRow(database, metaOf("budgets"), id);
    const theirs = await fetch(`${server.url}/api/budgets/${id}`, { method: "PATCH", body: JSON.stringify({ amount: "300.00" }) });
    assert.equal(theirs.status, 200, await theirs.text());
    isOffline = false;
    await until("all is answered", async () => (await readChanges(database, `"state" IN ('pending', 'sending')`)).length === 0);
    assert.deepEqual((await rejectedChanges(database)).map(({ operation, error }) => [operation, error?.code]), [["update", "conflict"], ["delete", "conflict"]]);
    assert.match(await exportWrites(database), /for the trip/);
  });
}
