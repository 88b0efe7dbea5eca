/** Writes that name rows which are made before them, at the real server, which takes a name of any row: what is refused takes along what names it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { discardWrite, readChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { runSender, synclineTransport } from "../src/sender.js";
import { insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { contact, each } from "./driven.js";
import { contactsMeta, transactionsMeta } from "./generated/meta.js";
import { serve, until, type Served } from "./served.js";

const ids = (): [string, string, string] => [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
const made = (database: LocalDatabase, id: string, contact_id: string | null): Promise<void> =>
  insertRow(database, database.dialect, transactionsMeta, { id, account_id: id, contact_id, amount: "1.50" });
const named = (database: LocalDatabase, id: string, contact_id: string): Promise<void> =>
  updateRow(database, database.dialect, transactionsMeta, id, { contact_id });

async function sent(database: LocalDatabase, { url }: Served, ask: typeof fetch = fetch): Promise<void> {
  const controller = new AbortController();
  const running = runSender(database, synclineTransport({ apiUrl: url, fetch: ask }), controller.signal, () => undefined);
  await until("all has an answer", async () => (await readChanges(database, `"state" IN ('pending', 'sending')`)).length === 0);
  controller.abort();
  await running;
}

const held = async ({ url }: Served): Promise<unknown[]> => {
  const rows = await (await fetch(`${url}/api/transactions`)).json() as { id: string; contact_id?: string }[];
  return rows.map(({ id, contact_id }) => [id, contact_id ?? null]).sort();
};
const codes = async (database: LocalDatabase): Promise<unknown[]> => (await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]);
/** What the document does not allow. */
const refused = { status: "neither" };

for (const dialect of DIALECTS) {
  test(`a row that names one which the server refuses does not come to the server, and does with it (${dialect})`, async (context) => {
    const [server, database] = [await serve(context), await openDatabase(dialect)];
    const [ann, first, second] = ids();
    await contact(database, ann, refused);
    await made(database, first, ann);
    await made(database, second, null);
    await sent(database, server);
    assert.deepEqual([await held(server), await codes(database)], [[[second, null]], [[ann, "validation_failed"], [first, "dependency_rejected"]]]);
    await database.query(`UPDATE "_changes" SET "value" = '{"first_name":"Ann"}' WHERE "key" = $1`, [ann]);
    await retryWrite(database, (await rejectedChanges(database))[1]!.writeId);
    await sent(database, server);
    assert.deepEqual([await held(server), await codes(database)], [[[first, ann], [second, null]].sort(), []]);
  });

  test(`a server that does not know what builds on what takes a row that names a refused one, which is kept and can follow (${dialect})`, async (context) => {
    const [server, database] = [await serve(context), await openDatabase(dialect)];
    const [ann, first] = ids();
    await contact(database, ann, refused);
    await made(database, first, ann);
    const unknowing = ((address: string, init?: RequestInit) => fetch(address, init?.body
      ? { ...init, body: JSON.stringify(JSON.parse(init.body as string), (name, value: unknown) => (name === "after" ? undefined : value)) } : init)) as typeof fetch;
    await sent(database, server, unknowing);
    assert.deepEqual([await held(server), await codes(database)], [[[first, ann]], [[ann, "validation_failed"]]]);
    assert.deepEqual((await readChanges(database, "1 = 1")).map(({ key, state }) => [key, state]), [[ann, "rejected"], [first, "acknowledged"]]);
    await database.query(`UPDATE "_changes" SET "value" = '{"first_name":"Ann"}' WHERE "key" = $1`, [ann]);
    await retryWrite(database, (await rejectedChanges(database))[0]!.writeId);
    await sent(database, server, unknowing);
    assert.deepEqual([(await (await fetch(`${server.url}/api/contacts`)).json() as unknown[]).length, await codes(database)], [1, []]);
  });

  test(`an edit of an unsent row that names a newer one stays behind that, and goes with it (${dialect})`, async (context) => {
    const [server, database] = [await serve(context), await openDatabase(dialect)];
    const [bob, first, second] = ids();
    for (const id of [first, second]) await made(database, id, null);
    await contact(database, bob, refused);
    await named(database, first, bob);
    assert.deepEqual((await readChanges(database, "1 = 1")).map(({ key, operation }) => [key, operation]),
      [[first, "insert"], [second, "insert"], [bob, "insert"], [first, "update"]]);
    await sent(database, server);
    assert.deepEqual([await held(server), await codes(database)],
      [[[first, null], [second, null]].sort(), [[bob, "validation_failed"], [first, "dependency_rejected"]]]);
  });
}

each("an edit that names a row which was there before joins the unsent one", async (database) => {
  const [ann, bob, first] = ids();
  for (const id of [ann, bob]) await contact(database, id);
  await made(database, first, ann);
  await named(database, first, bob);
  assert.deepEqual((await readChanges(database, `"key" = $1`, [first])).map(({ value }) => value["contact_id"]), [bob]);
});

each("nothing stays of a new row that was refused and let go, nor what never leaves the database", async (database) => {
  const { dialect } = database;
  await contact(database, "a", { local_notes: "mine" });
  await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1`);
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "Anna" });
  const [{ writeId } = { writeId: "" }] = await readChanges(database, "1 = 1");
  await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [writeId]);
  assert.equal((await rejectedChanges(database)).length, 2);
  await discardWrite(database, writeId);
  assert.deepEqual(await database.query(`SELECT * FROM "contacts_local"`), []);
});

each("a row whose key is there is refused with a code", async (database) => {
  await contact(database, "a");
  await assert.rejects(contact(database, "a"), { name: "WriteFailure", code: "exists", message: "contacts: a row with this key is there" });
});

each("a value that is set to what it is is no change, however it is written", async (database) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "tags", "score") VALUES ('a', '["a", "b"]', 1)`);
  const edit = (changes: object): Promise<void> => updateRow(database, database.dialect, contactsMeta, "a", changes as never);
  await edit({ tags: ["a", "b"], score: 1 });
  assert.deepEqual(await readChanges(database, "1 = 1"), []);
  await edit({ score: 2 });
  await edit({ score: 1 });
  assert.deepEqual(await readChanges(database, "1 = 1"), []);
});
