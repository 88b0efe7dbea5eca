/** Who waits for a write: the end of each wait is what became of the write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { discardWrite, pendingChanges, readChanges, rejectedChanges, retryWrite, WriteFailure } from "../src/changes.js";
import type { LocalDatabase, Statements } from "../src/database.js";
import { readRow } from "../src/rows.js";
import { openLocal } from "../src/sync.js";
import { CONFIRM_TIMEOUT_MAX_MS, deleteRow, endOverdue, insertRow, lastWriteOf, settled, updateRow, writeSettled, writeTogether } from "../src/writes.js";
import { openDatabase, schemaOf } from "./databases.js";
import { accepted, contact, drive, each, isSent, refusing, type Sent } from "./driven.js";
import { accountsMeta, contactsMeta, transactionsMeta } from "./generated/meta.js";

const endsAs = (wait: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(wait, (error) => error instanceof WriteFailure && error.code === code);
const account = (database: LocalDatabase, id: string): Promise<unknown> =>
  database.query(`INSERT INTO "accounts_synced" ("id", "name") VALUES ($1, 'Savings')`, [id]);
const rename = async (database: LocalDatabase, name: string): Promise<string> => {
  await updateRow(database, database.dialect, accountsMeta, "a", { name });
  return (await lastWriteOf(database, accountsMeta, "a"))!;
};
const unsent = async (database: LocalDatabase): Promise<unknown[]> => (await readChanges(database, "1 = 1")).map(({ key }) => key);

each("of two confirmed writes that have become one, both are taken back", async (database) => {
  await account(database, "a");
  const waits = [settled(database, await rename(database, "B"), 40), settled(database, await rename(database, "C"), 10_000)];
  await Promise.all(waits.map((wait) => endsAs(wait, "offline")));
  assert.deepEqual(await unsent(database), []);
});

each("confirmed writes that were made together are taken back together", async (database, dialect) => {
  const names = await writeTogether(database, async (inside) => {
    for (const id of ["a", "b"]) await insertRow(inside, dialect, accountsMeta, { id, name: id });
    await insertRow(inside, dialect, contactsMeta, { id: "c", first_name: "Cy" });
  });
  await endsAs(settled(database, names[1]!, 40), "offline");
  assert.deepEqual(await unsent(database), []);
});

each("a database's confirmed writes wait as long as was set, and are overdue after twice that", async (database, dialect) => {
  for (const timeoutMs of [0, -1, Number.NaN, CONFIRM_TIMEOUT_MAX_MS + 1]) {
    await assert.rejects(openLocal({ database, schema: schemaOf(dialect), confirmTimeoutMs: timeoutMs }), RangeError);
  }
  await openLocal({ database, schema: schemaOf(dialect), confirmTimeoutMs: 40 });
  await account(database, "a");
  await endsAs(settled(database, await rename(database, "B")), "offline");
  await rename(database, "C");
  const made = (seconds: number): Promise<unknown> =>
    database.query(`UPDATE "_changes" SET "created_at" = $1`, [new Date(Date.now() - seconds * 1_000).toISOString()]);
  await openLocal({ database, schema: schemaOf(dialect), confirmTimeoutMs: 60_000 });
  await made(119);
  await endOverdue(database);
  assert.equal((await pendingChanges(database)).length, 1);
  await made(121);
  await endOverdue(database);
  assert.deepEqual((await rejectedChanges(database)).map(({ error }) => error?.code), ["offline"]);
});

each("a change stays before the deletion of its row, which stands on it", async (database) => {
  await account(database, "a");
  const renamed = settled(database, await rename(database, "B"));
  await deleteRow(database, accountsMeta, "a");
  const deleted = settled(database, (await lastWriteOf(database, accountsMeta, "a"))!);
  const told: unknown[] = [];
  await drive(database, (sent) => {
    told.push(...sent.map(({ writes }) => writes.map(({ action, base }) => [action, base["name"]])));
    return accepted(sent);
  }, isSent(database));
  assert.deepEqual(told, [[["update", "Savings"]], [["delete", "B"]]], "the deletion leaves when the change is answered");
  await Promise.all([renamed, deleted]);
});

each("a write that was undone before it was sent is not told as accepted", async (database) => {
  await contact(database, "a");
  const made = (await lastWriteOf(database, contactsMeta, "a"))!;
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('b', 'Bob')`);
  await updateRow(database, database.dialect, contactsMeta, "b", { first_name: "Ben" });
  const renamed = (await lastWriteOf(database, contactsMeta, "b"))!;
  await deleteRow(database, contactsMeta, "a");
  await updateRow(database, database.dialect, contactsMeta, "b", { first_name: "Bob" });
  assert.deepEqual(await unsent(database), []);
  await endsAs(settled(database, made), "undone");
  await endsAs(settled(database, renamed), "undone");
  // The writes that undid them have got what they asked for, without a word to the server.
  const undoing = await database.query<{ write_id: string }>(`SELECT "write_id" FROM "_outcomes" WHERE "joined" IS NULL`);
  for (const { write_id } of undoing) await settled(database, write_id);
});

each("an answer can be asked for after the change has gone", async (database) => {
  await account(database, "a");
  const good = await rename(database, "B");
  await drive(database, accepted, isSent(database));
  await database.query(`UPDATE "_shapes" SET "seq" = 9007199254740991 WHERE "entity" = 'accounts'`);
  const bad = await rename(database, "C");
  await drive(database, refusing("forbidden"), isSent(database));
  await discardWrite(database, bad);
  assert.deepEqual(await unsent(database), []);
  await settled(database, good);
  await endsAs(settled(database, bad), "forbidden");
});

each("a refusal is seen however fast it comes", async (database) => {
  await account(database, "a");
  let isOver = false;
  const driven = drive(database, refusing("forbidden"), async () => isOver);
  for (let at = 0; at < 5; at += 1) {
    await endsAs(writeSettled(database, accountsMeta, "a", (on) => updateRow(on, database.dialect, accountsMeta, "a", { name: `B${at}` })), "forbidden");
  }
  isOver = true;
  await driven;
});

each("a row that is not there is neither changed nor deleted", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "hidden", name: "A" });
  for (const [meta, changes] of [[contactsMeta, { first_name: "X" }], [accountsMeta, { name: "X" }]] as const) {
    await endsAs(writeSettled(database, meta, "gone", (on) => updateRow(on, database.dialect, meta, "gone", changes)), "not_found");
    await endsAs(writeSettled(database, meta, "gone", (on) => deleteRow(on, meta, "gone")), "not_found");
  }
  await endsAs(writeSettled(database, accountsMeta, "hidden", (on) => deleteRow(on, accountsMeta, "hidden")), "not_found");
});

/** A database of which another tab takes over the files after each commit, before its end was told. */
const takenOver = (database: LocalDatabase): LocalDatabase => ({
  ...database,
  transaction: async <T>(work: (inside: Statements) => Promise<T>): Promise<T> => {
    await database.transaction(work);
    return database.transaction(work);
  },
});

each("a write whose end was not told is not made twice", async (database) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('b', 'Bob'), ('c', 'Cid')`);
  await account(database, "a");
  const again = takenOver(database);
  await contact(again, "a", { email: null });
  await updateRow(again, database.dialect, contactsMeta, "b", { first_name: "Ben" });
  await deleteRow(again, contactsMeta, "c");
  await updateRow(again, database.dialect, accountsMeta, "a", { name: "B" });
  const names = await writeTogether(again, async (inside) => {
    await insertRow(inside, database.dialect, contactsMeta, { id: "x", first_name: "X" });
    await insertRow(inside, database.dialect, contactsMeta, { id: "y", first_name: "Y" });
  });
  assert.deepEqual(await unsent(database), ["a", "b", "c", "a", "x", "y"]);
  assert.deepEqual(names, (await readChanges(database, `"key" IN ('x', 'y')`)).map(({ writeId }) => writeId));
});

each("more than a server takes as one is not written", async (database) => {
  const insert = (count: number) => writeTogether(database, async (inside) => {
    for (let at = 0; at < count; at += 1) await insertRow(inside, database.dialect, contactsMeta, { id: `c${at}`, first_name: "C" });
  });
  await assert.rejects(insert(1_001), ({ code }: WriteFailure) => code === "too_many");
  assert.deepEqual(await unsent(database), []);
  assert.equal((await insert(1_000)).length, 1_000);
});

each("of what is written together what is sent is counted, not what was done", async (database) => {
  await writeTogether(database, async (inside) => {
    const rows = Array.from({ length: 600 }, (_, at) => `n${at}`);
    for (const id of rows) await insertRow(inside, database.dialect, contactsMeta, { id, first_name: "N" });
    for (const id of rows) await updateRow(inside, database.dialect, contactsMeta, id, { email: "new" });
  });
  assert.equal((await unsent(database)).length, 600);
});

test("more than a server takes as one is not written by a statement of a page's Postgres either", async () => {
  const database = await openDatabase("pglite");
  const rename = (count: number) => database.query(`UPDATE "contacts" SET "email" = 'new' WHERE "id" IN (SELECT "id" FROM "contacts_synced" ORDER BY "id" LIMIT ${count})`);
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") SELECT 'c' || n, 'C' FROM generate_series(1, 1001) AS n`);
  await assert.rejects(rename(1_001), /1001 writes are too many to be one/);
  assert.deepEqual([await unsent(database), await database.query(`SELECT * FROM "contacts" WHERE "email" IS NOT NULL`)], [[], []]);
  await rename(1_000);
  assert.equal((await unsent(database)).length, 1_000);
});

test("of a transaction of a page's Postgres what its writes come to is counted, not how many they were", async () => {
  const database = await openDatabase("pglite");
  const made = (count: number) => database.transaction(async (inside) => {
    await inside.query(`INSERT INTO "contacts" ("id", "first_name") SELECT 'n' || n, 'N' FROM generate_series(1, ${count}) AS n`);
    await inside.query(`UPDATE "contacts" SET "email" = 'new'`);
  });
  await assert.rejects(made(1_001), /1001 writes are too many to be one/);
  assert.deepEqual(await unsent(database), []);
  await made(600);
  const changes = await readChanges(database, "1 = 1");
  assert.deepEqual([changes.length, changes[0]?.value], [600, { first_name: "N", email: "new" }]);
});

each("what is written together is told apart from what is written meanwhile", async (database) => {
  const together = writeTogether(database, async (inside) => {
    await insertRow(inside, database.dialect, contactsMeta, { id: "x", first_name: "X" });
    await insertRow(inside, database.dialect, contactsMeta, { id: "y", first_name: "Y" });
  });
  const [names] = await Promise.all([together, contact(database, "a"), contact(database, "b")]);
  const made = await readChanges(database, `"key" IN ('x', 'y')`);
  assert.deepEqual(names, made.map(({ writeId }) => writeId));
});

/** A confirmed write that the server has and whose answer comes after nobody waits any more. */
async function answerLate(database: LocalDatabase, answer: (sent: Sent[]) => Response): Promise<void> {
  await account(database, "a");
  const writeId = await rename(database, "B");
  let isOver = false;
  await drive(database, async (sent) => {
    await endsAs(settled(database, writeId, 10), "timed_out");
    assert.deepEqual((await rejectedChanges(database)).map(({ error }) => error?.code), ["timed_out"]);
    isOver = true;
    return answer(sent);
  }, async () => isOver && (await readChanges(database, `"error" ->> 'code' = 'timed_out'`)).length === 0);
}

each("a late acceptance ends what was told as timed out", async (database) => {
  await answerLate(database, accepted);
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ state }) => state), ["acknowledged"]);
  assert.equal((await readRow(database, database.dialect, accountsMeta, "a"))?.["name"], "B");
});

each("a late refusal says why, in the place of what was told as timed out", async (database) => {
  await answerLate(database, refusing("forbidden"));
  assert.deepEqual((await rejectedChanges(database)).map(({ error }) => error?.code), ["forbidden"]);
});

each("what the server may have is offered again under its own name, with what builds on it", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "a", name: "A" });
  await insertRow(database, database.dialect, transactionsMeta, { id: "t", account_id: "a", amount: "1" });
  const before = await pendingChanges(database);
  await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1 WHERE "key" = 'a'`);
  await endsAs(settled(database, before[0]!.writeId, 10), "timed_out");
  assert.deepEqual((await rejectedChanges(database)).map(({ error }) => error?.code), ["timed_out", "dependency_rejected"]);
  await retryWrite(database, before[1]!.writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ writeId }) => writeId), before.map(({ writeId }) => writeId));
});

each("a refused write is let go with those that were refused because of it", async (database) => {
  await insertRow(database, database.dialect, accountsMeta, { id: "a", name: "A" });
  await insertRow(database, database.dialect, transactionsMeta, { id: "t", account_id: "a", amount: "1" });
  const [parent] = await pendingChanges(database);
  await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [parent!.writeId]);
  await discardWrite(database, parent!.writeId);
  assert.deepEqual(await unsent(database), []);
});

each("what was written together is let go together, whichever of it is named, and with what builds on it", async (database, dialect) => {
  const names = await writeTogether(database, async (inside) => {
    await insertRow(inside, dialect, contactsMeta, { id: "c", first_name: "Cy" });
    await insertRow(inside, dialect, accountsMeta, { id: "a", name: "A" });
  });
  await insertRow(database, dialect, transactionsMeta, { id: "t", account_id: "a", amount: "1" });
  await contact(database, "other");
  const other = (await pendingChanges(database)).at(-1)!.writeId;
  for (const writeId of [names[0], other]) await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [writeId]);
  assert.deepEqual((await rejectedChanges(database)).map(({ key }) => key), ["c", "a", "t", "other"]);
  await discardWrite(database, names[1]!);
  assert.deepEqual(await unsent(database), ["other"]);
});

each("a refused new row is not offered again over one that was made anew under its key", async (database) => {
  await contact(database, "a", { first_name: "bad" });
  await drive(database, refusing("validation_failed"), isSent(database));
  await contact(database, "a", { first_name: "good" });
  const [refused] = await rejectedChanges(database);
  await retryWrite(database, refused!.writeId);
  assert.deepEqual((await rejectedChanges(database)).map(({ error }) => error?.code), ["exists"]);
  assert.deepEqual((await pendingChanges(database)).map(({ value }) => value["first_name"]), ["good"]);
  await deleteRow(database, contactsMeta, "a");
  await retryWrite(database, refused!.writeId);
  assert.equal((await readRow(database, database.dialect, contactsMeta, "a"))?.["first_name"], "bad");
});

each("a value that is set back while another is on its way is sent after it", async (database) => {
  await database.query(`INSERT INTO "accounts_synced" ("id", "name") VALUES ('a', 'A')`);
  await updateRow(database, database.dialect, accountsMeta, "a", { name: "B" });
  await updateRow(database, database.dialect, accountsMeta, "a", { name: "A" });
  // Unsent, the one undoes the other.
  assert.deepEqual(await pendingChanges(database), []);
  await updateRow(database, database.dialect, accountsMeta, "a", { name: "B" });
  await database.query(`UPDATE "_changes" SET "state" = 'sending'`);
  await updateRow(database, database.dialect, accountsMeta, "a", { name: "A", closed: true });
  assert.deepEqual((await pendingChanges(database)).map(({ value, base }) => [value, base]), [
    [{ name: "B" }, { name: "A" }], [{ name: "A", closed: true }, { name: "B", closed: null }],
  ]);
});
