/** Collections over views: what they show of writes that a server must confirm, and how they outlive a tab that closes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCollection } from "@tanstack/db";
import { readChanges } from "../src/changes.js";
import { confirmedCollection, viewCollectionOptions } from "../src/collection.js";
import type { LocalDatabase } from "../src/database.js";
import type { EntityMeta, Row } from "../src/entity.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";
import { until } from "./served.js";

const collectionOf = (database: LocalDatabase, meta: EntityMeta) => {
  const made = createCollection(viewCollectionOptions<Row>(database, meta));
  return meta.mode === "optimistic" ? made : confirmedCollection(made);
};

test("a collection of confirmed writes shows nothing that the server has not, and ends with its word", async () => {
  const database = await openDatabase("sqlite");
  const accounts = collectionOf(database, accountsMeta);
  await accounts.preload();
  const seen: unknown[] = [];
  accounts.subscribeChanges((changes) => seen.push(...changes));
  const made = accounts.insert({ id: "a", name: "A" }, { optimistic: true });
  await until("it is queued", async () => (await readChanges(database, "1 = 1")).length === 1);
  assert.deepEqual([seen, accounts.size, made.state], [[], 0, "persisting"]);
  await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "seq" = 9`);
  await made.isPersisted.promise;
  await until("it is shown", async () => accounts.get("a")?.["name"] === "A");
  const changed = accounts.update("a", (draft) => void (draft["name"] = "B"));
  await until("it is queued", async () => (await readChanges(database, `"state" = 'pending'`)).length === 1);
  assert.equal(accounts.get("a")?.["name"], "A");
  await database.query(`INSERT INTO "_reject" ("write_id", "error") SELECT "write_id", '{"code":"no","message":"no"}' FROM "_changes" WHERE "state" = 'pending'`);
  await assert.rejects(changed.isPersisted.promise, /no/);
  assert.equal(accounts.get("a")?.["name"], "A");
});

test("a collection of a cache takes no writes", async () => {
  const database = await openDatabase("sqlite");
  const cached = collectionOf(database, { ...accountsMeta, mode: "cache" });
  assert.throws(() => cached.insert({ id: "a", name: "A" }), /onInsert/);
  assert.deepEqual(await readChanges(database, "1 = 1"), []);
});

for (const dialect of DIALECTS) {
  test(`what is written to a collection at once is sent together, and a single write joins the one before it (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    const contacts = collectionOf(database, contactsMeta);
    await contacts.preload();
    await contacts.insert([{ id: "a", first_name: "Ann" }, { id: "b", first_name: "Bob" }]).isPersisted.promise;
    await contacts.insert({ id: "c", first_name: "Cy" }).isPersisted.promise;
    await contacts.update("c", (draft) => void (draft["first_name"] = "Cyd")).isPersisted.promise;
    const [a, b, c, ...others] = await readChanges(database, "1 = 1");
    assert.deepEqual([a?.key, b?.key, c?.key, c?.value["first_name"], others], ["a", "b", "c", "Cyd", []]);
    assert.ok(a?.transactionId && a.transactionId === b?.transactionId && a.transactionId !== c?.transactionId);
  });
}

test("a collection's write that is run again, since its end was not told, is made once", async () => {
  const database = await openDatabase("sqlite");
  const twice: LocalDatabase = {
    ...database,
    transaction: async (work) => {
      await database.transaction(work);
      return database.transaction(work);
    },
  };
  const contacts = collectionOf(twice, contactsMeta);
  await contacts.insert({ id: "a", first_name: "Ann" }).isPersisted.promise;
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ operation, key }) => [operation, key]), [["insert", "a"]]);
});
