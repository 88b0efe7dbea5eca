/** The rows of a collection as components show them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCollection } from "@tanstack/db";
import { viewCollectionOptions } from "../src/collection.js";
import type { Row } from "../src/entity.js";
import { useRows, type LiveRows } from "../src/live.js";
import { updateRow } from "../src/writes.js";
import { openDatabase } from "./databases.js";
import { contact } from "./driven.js";
import { contactsMeta } from "./generated/meta.js";
import { render, type Rendered } from "./render.js";
import { until } from "./served.js";

async function open() {
  const database = await openDatabase("sqlite");
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('c', 'Cid'), ('a', 'Ann'), ('e', 'Eve')`);
  const collection = createCollection(viewCollectionOptions<Row, string>(database, contactsMeta));
  return { database, collection, show: () => render(() => useRows(collection)) };
}
const names = ({ current }: Rendered<LiveRows<Row>>): string => current.data.map((row) => String(row["first_name"])).join();

test("all rows are shown in the collection's order, whatever comes, goes and changes", async () => {
  const { database, collection, show } = await open();
  const page = await show();
  assert.deepEqual([page.current.data, page.current.isLoading], [[], true]);
  await until("all are there", async () => names(page) === "Ann,Cid,Eve" && !page.current.isLoading);
  const before = page.current.data;
  await updateRow(database, "sqlite", contactsMeta, "c", { first_name: "Carl" });
  await until("the change is shown", async () => names(page) === "Ann,Carl,Eve");
  assert.deepEqual(page.current.data.map((row, at) => row === before[at]), [true, false, true]);
  await contact(database, "b");
  await until("a new one is in its place", async () => names(page) === "Ann,b,Carl,Eve");
  await database.query(`DELETE FROM "contacts_synced" WHERE "id" IN ('a', 'e')`);
  await until("those that are gone are not", async () => names(page) === "b,Carl");
  // As many come as go.
  await database.transaction(async (inside) => {
    await inside.query(`DELETE FROM "contacts_synced" WHERE "id" = 'c'`);
    await inside.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('a', 'Ada')`);
  });
  await until("others are in their places", async () => names(page).startsWith("Ada,b"));
  assert.deepEqual(page.current.data.map((row) => row["id"]), [...collection.keys()]);
  page.unmount();
});

test("a row that is made through the collection comes to its place when its database has it", async () => {
  const { collection, show } = await open();
  const page = await show();
  await until("all are there", async () => names(page) === "Ann,Cid,Eve");
  const made = collection.insert({ id: "b", first_name: "Bob" });
  await until("it is shown at once", async () => page.current.data.length === 4);
  assert.deepEqual(page.current.data.map((row) => row["id"]), [...collection.keys()]);
  await made.isPersisted.promise;
  await until("it is in its place", async () => names(page) === "Ann,Bob,Cid,Eve");
  collection.update("b", (draft) => void (draft["first_name"] = "Bill"));
  await until("its change is shown", async () => names(page) === "Ann,Bill,Cid,Eve");
  await until("nothing is on its way", async () => page.current.data.every((row) => row["$synced"]));
  assert.deepEqual(page.current.data.map((row) => row["id"]), [...collection.keys()]);
  page.unmount();
});

test("each component has a list of its own, and one that comes later sees what has changed since", async () => {
  const { database, collection, show } = await open();
  const [one, other] = [await show(), await show()];
  await until("all are there", async () => names(one) === "Ann,Cid,Eve" && names(other) === "Ann,Cid,Eve");
  one.current.data.reverse();
  assert.equal(names(other), "Ann,Cid,Eve");
  await updateRow(database, "sqlite", contactsMeta, "a", { first_name: "Anna" });
  await until("the change is shown", async () => names(one) === "Anna,Cid,Eve" && names(other) === "Anna,Cid,Eve");
  for (const { unmount } of [one, other]) unmount();
  await until("nobody follows", async () => collection.subscriberCount === 0);
  await updateRow(database, "sqlite", contactsMeta, "a", { first_name: "Ann" });
  await until("the collection has it", async () => collection.get("a")?.["first_name"] === "Ann");
  const seen: LiveRows<Row>[] = [];
  const later = await render(() => {
    seen.push(useRows(collection));
    return seen.at(-1)!;
  });
  assert.equal(names({ ...later, current: seen[0]! }), "Ann,Cid,Eve");
  await updateRow(database, "sqlite", contactsMeta, "e", { first_name: "Eva" });
  await until("it stays so", async () => names(later) === "Ann,Cid,Eva");
  await database.query(`DELETE FROM "contacts_synced" WHERE "id" = 'c'`);
  await until("what it began with can go", async () => names(later) === "Ann,Eva");
  later.unmount();
});

test("a row that a change moves is shown in its new place", async () => {
  const database = await openDatabase("sqlite");
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('c', 'Cid'), ('a', 'Ann'), ('e', 'Eve')`);
  const byName = (one: Row, other: Row): number => String(one["first_name"]).localeCompare(String(other["first_name"]));
  const collection = createCollection({ ...viewCollectionOptions<Row, string>(database, contactsMeta), compare: byName });
  const page = await render(() => useRows(collection));
  await until("all are there", async () => names(page) === "Ann,Cid,Eve");
  await updateRow(database, "sqlite", contactsMeta, "a", { first_name: "Zoe" });
  await until("it is last", async () => names(page) === "Cid,Eve,Zoe");
  page.unmount();
});
