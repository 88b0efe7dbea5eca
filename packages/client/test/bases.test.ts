/** What a write stands on, and what became of values that lost to another's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { discardWrite, pendingChanges, readChanges, rejectedChanges, retryWrite, type WriteFailure } from "../src/changes.js";
import { readRow } from "../src/rows.js";
import { lastWriteOf, settled, updateRow } from "../src/writes.js";
import { startSync } from "../src/sync.js";
import { openDatabase, schemaOf } from "./databases.js";
import { contact, drive, each, isSent, refusing, server } from "./driven.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";
import { serve, until } from "./served.js";

each("a form's write stands on what the form has shown, not on what came while it was open", async (database, dialect) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name", "email", "score") VALUES ('a', '160', 'x', 1)`);
  const shown = (await readRow(database, dialect, contactsMeta, "a"))!;
  await database.query(`UPDATE "contacts_synced" SET "first_name" = '300', "email" = 'y'`);
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "200" }, shown);
  const written = async (): Promise<unknown[]> => (await pendingChanges(database)).map(({ value, base }) => [value, base]);
  assert.deepEqual(await written(), [[{ first_name: "200" }, { first_name: "160" }]]);
  // What is queued already keeps what it stands on: the form has shown one's own value.
  const again = (await readRow(database, dialect, contactsMeta, "a"))!;
  await database.query(`UPDATE "contacts_synced" SET "email" = 'z'`);
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "250", email: "mine" }, again);
  assert.deepEqual(await written(), [[{ first_name: "250", email: "mine" }, { first_name: "160", email: "y" }]]);
  // Without a change there is nothing that stands on anything.
  await updateRow(database, dialect, contactsMeta, "a", { score: 1 }, { ...shown, score: 7 });
  assert.deepEqual(await written(), [[{ first_name: "250", email: "mine" }, { first_name: "160", email: "y" }]]);
});

each("a value that lost to another's is kept, told, and can be offered again or let go", async (database, dialect) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name", "email") VALUES ('a', 'Ann', 'x')`);
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "Anna", email: "mine" });
  const conflict = { base: "Ann", mine: "Anna", theirs: "Annie" };
  const accept = () => drive(database, (sent) => Response.json({
    results: sent.map(({ write_id }) => ({ write_id, status: "accepted", seq: (server.seq += 1), txid: 1, rows: [], lost: [{ first_name: conflict }] })),
  }), isSent(database));
  await accept();
  const [lost] = await rejectedChanges(database);
  assert.deepEqual([lost?.error?.code, lost?.error?.conflicts, lost?.value, lost?.base], ["lost", { first_name: conflict }, { first_name: "Anna" }, { first_name: "Ann" }]);
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ state }) => state), ["acknowledged", "rejected"]);
  // Told again to who sends it again.
  await database.query(`UPDATE "_changes" SET "state" = 'pending', "error" = NULL WHERE "state" = 'acknowledged'`);
  await accept();
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ state }) => state), ["acknowledged", "rejected"]);
  await retryWrite(database, lost!.writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ value, base }) => [value, base]), [[{ first_name: "Anna" }, { first_name: "Annie" }]]);
  await drive(database, (sent) => Response.json({
    results: sent.map(({ write_id }) => ({ write_id, status: "accepted", seq: (server.seq += 1), txid: 2, rows: [], lost: [{ first_name: { ...conflict, base: "Annie" } }] })),
  }), isSent(database));
  await discardWrite(database, (await rejectedChanges(database))[0]!.writeId);
  assert.equal((await rejectedChanges(database)).length, 0);
});

each("who waits for a confirmed write is told what it has lost to another's, before its row has come back and after", async (database, dialect) => {
  await database.query(`INSERT INTO "accounts_synced" ("id", "name", "closed") VALUES ('a', 'Savings', false), ('b', 'Current', false)`);
  const conflict = { base: "Savings", mine: "Mine", theirs: "Theirs" };
  const waiting: Promise<unknown>[] = [];
  for (const [key, changes] of [["a", { name: "Mine" }], ["b", { closed: true }]] as const) {
    await updateRow(database, dialect, accountsMeta, key, changes);
    const writeId = (await lastWriteOf(database, accountsMeta, key))!;
    waiting.push(settled(database, writeId).then(() => "accepted", (error: WriteFailure) => [error.code, error.writeId === writeId, error.error.conflicts]));
  }
  await drive(database, (sent) => Response.json({
    results: sent.map(({ write_id, writes }) =>
      ({ write_id, status: "accepted", seq: (server.seq += 1), txid: 1, rows: [], lost: ["name" in writes[0]!.values ? { name: conflict } : {}] })),
  }), isSent(database));
  assert.deepEqual(await Promise.all(waiting), [["lost", true, { name: conflict }], "accepted"]);
  const [told, kept] = await readChanges(database, `"error" IS NOT NULL`);
  assert.deepEqual([told?.state, kept?.state, kept?.value], ["acknowledged", "rejected", { name: "Mine" }]);
  await database.query(`UPDATE "_shapes" SET "seq" = $1`, [server.seq]);
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ state }) => state), ["rejected"]);
  await assert.rejects(settled(database, told!.writeId), ({ code }: WriteFailure) => code === "lost");
});

each("who waits for a confirmed write is told what it has lost, also where its rows came before the answer", async (database, dialect) => {
  await database.query(`INSERT INTO "accounts_synced" ("id", "name", "closed") VALUES ('a', 'Savings', false)`);
  await updateRow(database, dialect, accountsMeta, "a", { name: "Mine" });
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  const conflict = { base: "Savings", mine: "Mine", theirs: "Theirs" };
  // Of a server whose answers name no place in a log.
  await drive(database, async (sent) => {
    await database.query(`INSERT INTO "_txids" ("entity", "txid") VALUES ('accounts', 7)`);
    return Response.json({ results: sent.map(({ write_id }) => ({ write_id, status: "accepted", txid: 7, lost: [{ name: conflict }] })) });
  }, isSent(database));
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ state, value }) => [state, value]), [["rejected", { name: "Mine" }]]);
  await assert.rejects(settled(database, writeId), ({ error }: WriteFailure) => error.code === "lost" && error.conflicts?.["name"]?.theirs === "Theirs");
});

each("a refused write that is offered again goes before what was written since, without what that sets", async (database, dialect) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name", "email") VALUES ('a', 'Ann', 'x')`);
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "older", email: "mine" });
  await drive(database, refusing("forbidden"), isSent(database));
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "newer" });
  await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1 WHERE "state" = 'pending'`);
  await updateRow(database, dialect, contactsMeta, "a", { first_name: "newest", score: 2 });
  await retryWrite(database, (await rejectedChanges(database))[0]!.writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ value, base }) => [value, base]), [
    [{ email: "mine" }, { email: "x" }],
    [{ first_name: "newer" }, { first_name: "Ann" }],
    [{ first_name: "newest", score: 2 }, { first_name: "newer", score: null }],
  ]);
  assert.equal((await readRow(database, dialect, contactsMeta, "a"))?.["first_name"], "newest");
});

each("of two refused writes of a row that are offered again, the later stands on the earlier", async (database, dialect) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('a', 'Ann')`);
  for (const first_name of ["one", "two"]) {
    await updateRow(database, dialect, contactsMeta, "a", { first_name });
    await drive(database, refusing("forbidden"), isSent(database));
  }
  for (const { writeId } of await rejectedChanges(database)) await retryWrite(database, writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ base }) => base), [{ first_name: "Ann" }, { first_name: "one" }]);
});

test("the newest edit of a field wins over one's own older one that is offered again after it", async (context) => {
  const server = await serve(context);
  const database = await openDatabase("sqlite");
  let answers: "server" | "refusal" | "none" = "server";
  const sync = startSync({
    apiUrl: server.url, database, schema: schemaOf("sqlite"),
    fetch: (async (url: string, init?: RequestInit) => {
      if (!url.endsWith("/api/writes") || answers === "server") return fetch(url, init);
      if (answers === "none") throw new TypeError("fetch failed");
      return refusing("forbidden")((JSON.parse(init?.body as string) as { transactions: [] }).transactions);
    }) as typeof fetch,
  });
  context.after(() => sync.stop());
  const isQuiet = async (): Promise<boolean> => (await readChanges(database, `"state" <> 'rejected'`)).length === 0;
  const id = crypto.randomUUID();
  await contact(database, id);
  await until("it is there", isQuiet);
  answers = "refusal";
  await updateRow(database, "sqlite", contactsMeta, id, { first_name: "older" });
  await until("it is refused", async () => (await rejectedChanges(database)).length === 1);
  answers = "none";
  await updateRow(database, "sqlite", contactsMeta, id, { first_name: "newest" });
  await retryWrite(database, (await rejectedChanges(database))[0]!.writeId);
  answers = "server";
  await until("both are sent", isQuiet);
  const row = await (await fetch(`${server.url}/api/contacts/${id}`)).json() as { first_name: string };
  assert.deepEqual([row.first_name, await rejectedChanges(database)], ["newest", []]);
});

each("an accepted write is shown until the server shows all of it, where no place in a log tells", async (database, dialect) => {
  await database.query(`INSERT INTO "contacts_synced" ("id", "first_name", "tags") VALUES ('a', 'Ann', '{"b":[1,2],"c":1}')`);
  const shows = async (): Promise<unknown> => (await readRow(database, dialect, contactsMeta, "a"))?.["tags"];
  await updateRow(database, dialect, contactsMeta, "a", { tags: { b: [1] } });
  await database.query(`UPDATE "_changes" SET "state" = 'acknowledged'`);
  // Another's change comes before it.
  await database.query(`UPDATE "contacts_synced" SET "first_name" = 'Anna'`);
  assert.deepEqual(await shows(), { b: [1] });
  await database.query(`UPDATE "contacts_synced" SET "tags" = '{"b":[1]}'`);
  assert.deepEqual([await shows(), (await readChanges(database, "1 = 1")).length], [{ b: [1] }, 0]);
});
