/** What a write stands on, and what became of values that lost to another's. */
import assert from "node:assert/strict";
import { discardWrite, pendingChanges, readChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import { readRow } from "../src/rows.js";
import { updateRow } from "../src/writes.js";
import { drive, each, isSent, server } from "./driven.js";
import { contactsMeta } from "./generated/meta.js";

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
  await drive(database, (sent) => Response.json({
    results: sent.map(({ write_id }) => ({ write_id, status: "accepted", seq: (server.seq += 1), txid: 1, rows: [], lost: [{ first_name: conflict }] })),
  }), isSent(database));
  const [lost] = await rejectedChanges(database);
  assert.deepEqual([lost?.error?.code, lost?.error?.conflicts, lost?.value, lost?.base], ["lost", { first_name: conflict }, { first_name: "Anna" }, { first_name: "Ann" }]);
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ state }) => state), ["acknowledged", "rejected"]);
  await retryWrite(database, lost!.writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ value, base }) => [value, base]), [[{ first_name: "Anna" }, { first_name: "Annie" }]]);
  await drive(database, (sent) => Response.json({
    results: sent.map(({ write_id }) => ({ write_id, status: "accepted", seq: (server.seq += 1), txid: 2, rows: [], lost: [{ first_name: { ...conflict, base: "Annie" } }] })),
  }), isSent(database));
  await discardWrite(database, (await rejectedChanges(database))[0]!.writeId);
  assert.equal((await rejectedChanges(database)).length, 0);
});
