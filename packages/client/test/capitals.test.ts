/** UUIDs in capitals, as some systems write them: the server shows them in small letters, and so does a page from the start. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pendingChanges, readRow, rejectedChanges, startSync, type EntityMeta, type Row } from "@syncline/client";
import { sqliteDatabase } from "@syncline/client/sqlite";
import { readChanges } from "../src/changes.js";
import { deleteRow, insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openDatabase, schemaOf, sqliteDriver } from "./databases.js";
import { generated } from "./documents.js";
import { contact, each } from "./driven.js";
import {
  closeDatabase, configure, contactsCollection, initDatabase, sync, useContact, useCreateContact, useDeleteContact, useUpdateContact,
} from "./generated/index.js";
import { contactsMeta, transactionsMeta } from "./generated/meta.js";
import * as memory from "./generated-memory/index.js";
import { render } from "./render.js";
import { DOCUMENT, serve, until } from "./served.js";

const capitals = (): string => crypto.randomUUID().toUpperCase();

const document = readFileSync(DOCUMENT, "utf8");
/** What names a contact is text, where a contact's key is a UUID. */
const NAMED_BY_TEXT = document.replace(/(contact_id: \{ type: \[string, "null"\]), format: uuid/, "$1");
/** What names a contact is a UUID, where a contact's key is text. */
const KEPT_BY_TEXT = document.replace(/(\/contacts\/\{id\}:[^]*?type: string), format: uuid/, "$1").replace(/( Contact:[^]*?type: string), format: uuid/, "$1");

each("a row is found by its key in capitals, and is one with that in small letters", async (database, dialect) => {
  const key = capitals();
  await contact(database, key, { email: null, local_notes: "mine" });
  await assert.rejects(contact(database, key.toLowerCase()), { code: "exists" });
  await assert.rejects(database.query(`INSERT INTO "contacts" ("id", "first_name") VALUES ($1, 'x')`, [key]), /this key is there/);
  await updateRow(database, dialect, contactsMeta, key, { first_name: "Ann" }, { first_name: "Anna" });
  const [made, ...others] = await readChanges(database, "1 = 1");
  assert.deepEqual([made?.key, made?.value, others], [key.toLowerCase(), { first_name: "Ann", email: null }, []]);
  const row = await readRow(database, dialect, contactsMeta, key);
  assert.deepEqual([row?.["id"], row?.["local_notes"]], [key.toLowerCase(), "mine"]);
  await deleteRow(database, contactsMeta, key);
  assert.deepEqual([await readChanges(database, "1 = 1"), await readRow(database, dialect, contactsMeta, key)], [[], undefined]);
});

for (const dialect of DIALECTS) {
  test(`what never leaves a database stays with a row that was made in capitals, and so does what names it (${dialect})`, async (context) => {
    const [server, database] = [await serve(context), await openDatabase(dialect)];
    const [ann, bob, first, second] = [capitals(), capitals(), capitals(), capitals()];
    await contact(database, ann, { local_notes: "mine" });
    // What the document does not allow, by which what names it falls too.
    await contact(database, bob.toLowerCase(), { status: "neither" });
    for (const [id, contact_id] of [[first, ann], [second, bob]]) {
      await insertRow(database, dialect, transactionsMeta, { id, account_id: id, contact_id, amount: "1.50" });
    }
    const running = startSync({ database, schema: schemaOf(dialect), apiUrl: server.url, name: `capitals ${dialect}` });
    context.after(running.stop);
    await until("all has an answer", async () => (await pendingChanges(database)).length === 0);
    await until("the rows are the server's", async () => (await readChanges(database, `"state" = 'acknowledged'`)).length === 0);
    const row = await readRow(database, dialect, contactsMeta, ann);
    assert.deepEqual([row?.["id"], row?.["local_notes"], row?.["_has_local_changes"]], [ann.toLowerCase(), "mine", false]);
    assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]),
      [[bob.toLowerCase(), "validation_failed"], [second.toLowerCase(), "dependency_rejected"]]);
  });
}

for (const [key, text, held, returned] of [
  ["a UUID", NAMED_BY_TEXT, (id: string) => id.toLowerCase(), ["Ann"]],
  // Whatever it names, servers show a UUID in small letters.
  ["text", KEPT_BY_TEXT, (id: string) => id, []],
] as const) {
  const schemaFor = generated(text);
  for (const dialect of DIALECTS) {
    test(`what names a row is in the letters of that row's key, whatever its own kind, where that is ${key} (${dialect})`, async (context) => {
      const schema = schemaFor(dialect);
      const metaOf = (name: string): EntityMeta => schema.entities.find(({ meta }) => meta.name === name)!.meta;
      const [server, database] = [await serve(context, text), await openDatabase(dialect, schema)];
      const joined = async (): Promise<unknown[]> => (await database.query<{ first_name: string }>(
        `SELECT contact."first_name" AS "first_name" FROM "transactions" AS payment JOIN "contacts" AS contact ON contact."id" = payment."contact_id" ORDER BY 1`,
      )).map(({ first_name }) => first_name);
      const [ann, bob, first, second] = [capitals(), capitals(), capitals(), capitals()];
      await insertRow(database, dialect, metaOf("contacts"), { id: ann, first_name: "Ann" });
      // What the document does not allow, by which what names it falls too.
      await insertRow(database, dialect, metaOf("contacts"), { id: bob, first_name: "Bob", status: "neither" });
      for (const [id, contact_id] of [[first, ann], [second, bob]]) {
        await insertRow(database, dialect, metaOf("transactions"), { id, account_id: id, contact_id, amount: "1.50" });
      }
      assert.deepEqual(await joined(), ["Ann", "Bob"]);
      const running = startSync({ database, schema, apiUrl: server.url, name: `named ${key} ${dialect}` });
      context.after(running.stop);
      await until("all has an answer", async () => (await pendingChanges(database)).length === 0);
      await until("the rows are the server's", async () => (await readChanges(database, `"state" = 'acknowledged'`)).length === 0);
      assert.deepEqual([await joined(), (await readRow(database, dialect, metaOf("transactions"), first))?.["contact_id"]], [returned, ann.toLowerCase()]);
      assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]),
        [[held(bob), "validation_failed"], [second.toLowerCase(), "dependency_rejected"]]);
    });
  }
}

const namedByText = generated(NAMED_BY_TEXT);
for (const dialect of DIALECTS) {
  test(`text that names rows by UUIDs stays what it is where nobody sets it, and where it is none (${dialect})`, async () => {
    const database = await openDatabase(dialect, namedByText(dialect));
    const set = (changes: Row): Promise<void> => updateRow(database, dialect, transactionsMeta, "t", changes);
    const written = async (): Promise<unknown> => (await readChanges(database, "1 = 1")).map(({ value }) => value);
    await database.query(`INSERT INTO "transactions_synced" ("id", "account_id", "contact_id", "amount") VALUES ('t', 'a', $1, '1.50')`, [capitals()]);
    await set({ amount: "2.50" });
    assert.deepEqual(await written(), [{ amount: "2.50" }]);
    for (const contact_id of ["Ann's", "GGGGGGGG-ABCD-ABCD-ABCD-ABCDEFABCDEF"]) {
      await set({ contact_id });
      assert.deepEqual(await written(), [{ amount: "2.50", contact_id }]);
    }
  });
}

for (const [name, { useContact: useOne, useCreateContact: useMake, useUpdateContact: useChange, useDeleteContact: useRemove }, open] of [
  ["over a database", { useContact, useCreateContact, useUpdateContact, useDeleteContact }, async (url: string) => {
    configure({ apiUrl: url });
    await initDatabase({ opened: sqliteDatabase(sqliteDriver()), name: "capitals" });
    sync();
    return contactsCollection();
  }],
  ["in memory", memory, async (url: string) => {
    memory.configure({ apiUrl: url });
    return memory.contactsCollection();
  }],
] as const) {
  test(`a component finds, changes and deletes by a key in capitals (${name})`, async (context) => {
    const server = await serve(context);
    const collection = await open(server.url);
    context.after(closeDatabase);
    await collection.preload();
    const key = capitals();
    const page = await render(() => ({ one: useOne(key), make: useMake(), change: useChange(), remove: useRemove() }));
    assert.equal(await page.current.make.mutateAsync({ id: key, first_name: "Ann" }), key.toLowerCase());
    await until("it is shown", async () => page.current.one.data?.first_name === "Ann");
    await page.current.change.mutateAsync({ key, changes: { first_name: "Anna" } });
    await until("the change is the server's", async () => page.current.one.data?.first_name === "Anna" && !page.current.one.data._has_local_changes);
    assert.deepEqual([...collection.keys()], [key.toLowerCase()]);
    assert.throws(() => collection.insert({ first_name: "Nobody" } as never), /without a defined key/);
    await page.current.remove.mutateAsync(key);
    await until("it is gone", async () => collection.size === 0);
    page.unmount();
  });
}
