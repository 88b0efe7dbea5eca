/** The feed of rows, against a service whose every answer the tests decide. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pendingChanges, readChanges, type Change } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { runFeed } from "../src/feed.js";
import { readRow, readRows } from "../src/rows.js";
import { deleteRow, insertRow, updateRow, writeTogether } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { accountsMeta, contactsMeta, transactionsMeta } from "./generated/meta.js";
import { until, type Context } from "./served.js";
import { Service } from "./service.js";

let made = 0;

/** A database that reads contacts from a service. */
async function reading(context: Context, dialect: LocalDatabase["dialect"], ...rows: Record<string, string>[]) {
  const database = await openDatabase(dialect);
  const service = new Service(contactsMeta, rows, `service ${(made += 1)}`, 5);
  const controller = new AbortController();
  const running = runFeed(database, contactsMeta, { shapeUrl: "http://service/v1/shape", fetch: service.fetch }, controller.signal, () => undefined);
  context.after(async () => {
    controller.abort();
    await running;
  });
  const names = async (): Promise<unknown[]> => (await readRows(database, dialect, contactsMeta)).map((row) => row["first_name"]).sort();
  const shows = (...wanted: string[]): Promise<void> => until(`${wanted} is shown`, async () => (await names()).join() === wanted.join());
  await shows(...rows.map((row) => row["first_name"]!));
  return { database, service, shows };
}

/** The server has taken what was unsent; it has no places in a log. */
const accept = (database: LocalDatabase, txid: number | null = null) =>
  database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "txid" = $1 WHERE "state" = 'sending'`, [txid]);
const send = (database: LocalDatabase) => database.query(`UPDATE "_changes" SET "state" = 'sending' WHERE "state" = 'pending'`);
const isClear = (database: LocalDatabase) => async () => (await readChanges(database, "1 = 1")).length === 0;

for (const dialect of DIALECTS) {
  test(`rows that must be fetched again take the place of the old ones, and no write of one's own (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" }, { id: "b", first_name: "Bob" });
    await updateRow(database, dialect, contactsMeta, "b", { email: "b@example.org" });
    await insertRow(database, dialect, contactsMeta, { id: "c", first_name: "Cy" });
    service.reset({ id: "b", first_name: "Bea" });
    await shows("Bea", "Cy");
    assert.equal((await readRow(database, dialect, contactsMeta, "b"))?.["email"], "b@example.org");
    assert.equal((await pendingChanges(database)).length, 2);
    const [noted] = await database.query(`SELECT "handle", "offset", "seq" FROM "_shapes" WHERE "entity" = 'contacts'`);
    assert.deepEqual([noted?.["handle"], noted?.["offset"], Number(noted?.["seq"])], [`${service.name} 1`, "0_0", 6]);
    assert.ok(service.asked.every((url) => !url.searchParams.get("columns")?.includes("local_notes")));
  });

  test(`what never leaves the database outlives rows that are fetched again, and rows that come back (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" }, { id: "b", first_name: "Bob" });
    for (const id of ["a", "b"]) await updateRow(database, dialect, contactsMeta, id, { local_notes: `of ${id}` });
    const notes = async (): Promise<unknown[]> => (await readRows(database, dialect, contactsMeta)).map((row) => row["local_notes"]).sort();
    service.reset({ id: "b", first_name: "Bea" });
    await shows("Bea");
    assert.deepEqual(await notes(), ["of b"]);
    service.tell(service.told("insert", { id: "a", first_name: "Ann" }), service.told("delete", { id: "b" }));
    await shows("Ann");
    assert.deepEqual(await notes(), ["of a"]);
    service.tell(service.told("insert", { id: "b", first_name: "Bo" }));
    await shows("Ann", "Bo");
    assert.deepEqual(await notes(), ["of a", "of b"]);
    // It goes with what is deleted here, once the server has taken that.
    await deleteRow(database, contactsMeta, "a");
    await send(database);
    await accept(database);
    service.tell(service.told("delete", { id: "a" }));
    const left = async (): Promise<unknown[]> => (await database.query(`SELECT "id" FROM "contacts_local"`)).map(({ id }) => id);
    await until("nothing is left of it", async () => (await left()).join() === "b");
    await shows("Bo");
  });

  test(`a feed goes on where it was, after the page was closed (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await database.query(`UPDATE "_shapes" SET "handle" = 'known', "offset" = '7_2', "seq" = 7 WHERE "entity" = 'contacts'`);
    const controller = new AbortController();
    const first = new Promise<URL>((resolve) => {
      const service = (async (url, init) => {
        resolve(new URL(String(url)));
        return new Promise((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)));
      }) as typeof fetch;
      void runFeed(database, contactsMeta, { shapeUrl: "http://service/v1/shape", fetch: service }, controller.signal, () => undefined);
    });
    const { searchParams } = await first;
    assert.deepEqual([searchParams.get("handle"), searchParams.get("offset")], ["known", "7_2"]);
    controller.abort();
  });

  test(`a write whose transaction came before its answer is let go with the answer (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" });
    await updateRow(database, dialect, contactsMeta, "a", { first_name: "anna" });
    await send(database);
    service.tell(service.told("update", { id: "a", first_name: "Anna" }, 77));
    await until("it is here", async () => (await database.query(`SELECT 1 FROM "contacts_synced" WHERE "first_name" = 'Anna'`)).length > 0);
    await shows("anna");
    await accept(database, 77);
    await shows("Anna");
    assert.ok(await isClear(database)());
  });

  test(`thousands of transactions of others in one answer are no trouble (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" });
    await updateRow(database, dialect, contactsMeta, "a", { first_name: "anna" });
    await send(database);
    const others = Array.from({ length: 8_000 }, (_, at) => at + 1_000);
    service.tell(service.told("update", { id: "a", first_name: "Anna" }, ...others, 77));
    await until("it is here", async () => (await database.query(`SELECT 1 FROM "contacts_synced" WHERE "first_name" = 'Anna'`)).length > 0);
    await accept(database, 77);
    await shows("Anna");
    assert.ok(await isClear(database)());
  });

  test(`a write whose values came before its answer is let go with the answer (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" }, { id: "b", first_name: "Bob" });
    await updateRow(database, dialect, contactsMeta, "a", { first_name: "Anna" });
    await deleteRow(database, contactsMeta, "b");
    await send(database);
    service.tell(service.told("update", { id: "a", first_name: "Anna" }), service.told("delete", { id: "b" }));
    await until("it is here", async () => (await database.query(`SELECT 1 FROM "contacts_synced"`)).length === 1);
    await accept(database);
    assert.ok(await isClear(database)());
    service.tell(service.told("update", { id: "a", first_name: "Remote" }));
    await shows("Remote");
  });

  test(`with a write, those of its row before it are let go (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" });
    for (const first_name of ["Anna", "Anne"]) {
      await updateRow(database, dialect, contactsMeta, "a", { first_name });
      await send(database);
    }
    await accept(database);
    service.tell(service.told("update", { id: "a", first_name: "Anne" }));
    await until("nothing is open", isClear(database));
    service.tell(service.told("update", { id: "a", first_name: "Remote" }));
    await shows("Remote");
  });

  test(`all rows, fetched after writes were accepted, take their place (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" });
    await updateRow(database, dialect, contactsMeta, "a", { first_name: "Anna" });
    await insertRow(database, dialect, contactsMeta, { id: "b", first_name: "Bob" });
    await send(database);
    await accept(database);
    await updateRow(database, dialect, contactsMeta, "a", { email: "unsent@example.org" });
    service.reset({ id: "a", first_name: "Someone's" });
    await shows("Someone's");
    assert.deepEqual((await readChanges(database, "1 = 1")).map(({ state }) => state), ["pending"]);
  });

  test(`what a server has accepted and lost is sent again as it was, with what was written together with it (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" }, { id: "b", first_name: "Bob" });
    const accounts = accountsMeta.name;
    await updateRow(database, dialect, contactsMeta, "a", { first_name: "Anna" });
    // Its place was taken by another's when the log went on.
    await updateRow(database, dialect, contactsMeta, "b", { first_name: "Bea" });
    await writeTogether(database, async (inside) => {
      await insertRow(inside, dialect, contactsMeta, { id: "c", first_name: "Cy" });
      await insertRow(inside, dialect, accountsMeta, { id: "of c", name: "C" });
    });
    const before = await readChanges(database, "1 = 1");
    await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "attempts" = 1, "txid" = 1, "error" = '{"code": "lost"}', "seq" = CASE "key" WHEN 'b' THEN 6 ELSE 9 END`);
    service.reset({ id: "a", first_name: "Ann" }, { id: "b", first_name: "Bob" });
    await until("they are unsent", async () => (await pendingChanges(database)).length === 4);
    await shows("Anna", "Bea", "Cy");
    const again = await readChanges(database, "1 = 1");
    assert.deepEqual(again.map(({ state, seq, txid, attempts, error }) => [state, seq, txid, attempts, error]), Array(4).fill(["pending", null, null, 1, null]));
    assert.deepEqual(again.map(({ entity, key }) => [entity, key]), [["contacts", "a"], ["contacts", "b"], ["contacts", "c"], [accounts, "of c"]]);
    const contents = (changes: readonly Change[]) => changes.map(({ writeId, value, base }) => ({ writeId, value, base }));
    assert.deepEqual(contents(again), contents(before));
  });

  test(`what was written together is sent again together, though the rows of a part had come (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" });
    const { name } = transactionsMeta;
    const reached = (seq: number) => database.query(`UPDATE "_shapes" SET "seq" = $1 WHERE "entity" = $2`, [seq, name]);
    const open = async (): Promise<unknown[]> => (await readChanges(database, "1 = 1")).map(({ key, state }) => `${key} ${state}`);
    const together = async (...keys: string[]): Promise<readonly Change[]> => {
      await writeTogether(database, async (inside) => {
        for (const id of keys) await insertRow(inside, dialect, transactionsMeta, { id: `of ${id}`, account_id: "a", amount: "1" });
        for (const id of keys) await insertRow(inside, dialect, contactsMeta, { id, first_name: id });
      });
      return readChanges(database, "1 = 1");
    };
    const before = await together("bob", "cy");
    await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "attempts" = 1, "txid" = 1, "seq" = 9`);
    await reached(9);
    assert.deepEqual(await open(), ["bob acknowledged", "cy acknowledged"]);
    service.reset({ id: "a", first_name: "Ann" });
    await until("they are unsent", async () => (await pendingChanges(database)).length === 4);
    assert.deepEqual(await readChanges(database, "1 = 1"), before.map((change) => ({ ...change, attempts: 1 })));
    await shows("Ann", "bob", "cy");
    assert.equal((await readRow(database, dialect, transactionsMeta, "of bob"))?.["account_id"], "a");
    // The server takes them, and tells all of them: nothing is left to be sent again.
    await database.query(`UPDATE "_changes" SET "state" = 'acknowledged', "seq" = 6`);
    await reached(6);
    service.tell(...["bob", "cy"].map((id) => service.told("insert", { id, first_name: id })));
    await until("nothing is open", isClear(database));
    assert.deepEqual(await database.query(`SELECT * FROM "_let_go"`), []);
  });

  test(`an accepted write that never comes back is let go after a while (${dialect})`, async (context) => {
    const { database, service, shows } = await reading(context, dialect, { id: "a", first_name: "Ann" });
    await updateRow(database, dialect, contactsMeta, "a", { first_name: " Anna " });
    await insertRow(database, dialect, contactsMeta, { id: "b", first_name: "Bob" });
    await send(database);
    await accept(database);
    service.tell(service.told("update", { id: "a", first_name: "Anna", email: "x" }));
    await until("it is here", async () => (await database.query(`SELECT 1 FROM "contacts_synced" WHERE "email" = 'x'`)).length > 0);
    await shows(" Anna ", "Bob");
    const { now } = Date;
    context.mock.method(Date, "now", () => now() + 40_000);
    service.tell();
    await shows("Anna");
    assert.ok(await isClear(database)());
  });
}
