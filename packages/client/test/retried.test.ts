/** Writes that are offered again, refused or unanswered among others of their row: what they stand on, and which of them wins. */
import assert from "node:assert/strict";
import { readChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { readRow } from "../src/rows.js";
import { deleteRow, endOverdue, insertRow, updateRow, writeTogether } from "../src/writes.js";
import { accepted, contact, drive, each, isSent, refusing, server, type Sent } from "./driven.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";

const ann = (database: LocalDatabase): Promise<unknown> =>
  database.query(`INSERT INTO "contacts_synced" ("id", "first_name", "email") VALUES ('a', 'Ann', 'x')`);
const savings = (database: LocalDatabase): Promise<unknown> =>
  database.query(`INSERT INTO "accounts_synced" ("id", "name") VALUES ('a', 'A')`);
const edit = (database: LocalDatabase, changes: object, base?: object): Promise<void> =>
  updateRow(database, database.dialect, contactsMeta, "a", changes as never, base);
const rename = (database: LocalDatabase, name: string, base?: object): Promise<void> =>
  updateRow(database, database.dialect, accountsMeta, "a", { name }, base);
const unsent = async (database: LocalDatabase): Promise<unknown[]> =>
  (await readChanges(database, `"state" IN ('pending', 'sending')`)).map(({ value, base }) => [value, base]);
const refused = async (database: LocalDatabase): Promise<unknown[]> => (await rejectedChanges(database)).map(({ error }) => error?.code);
const retryAll = async (database: LocalDatabase): Promise<void> => {
  for (const { writeId } of await rejectedChanges(database)) await retryWrite(database, writeId);
};
/** As if it had been sent, and nobody knew what came of it. */
const tried = (database: LocalDatabase): Promise<unknown> =>
  database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1 WHERE "state" = 'pending'`);
const endUnanswered = async (database: LocalDatabase): Promise<void> => {
  await tried(database);
  await database.query(`UPDATE "_changes" SET "created_at" = '2020-01-01T00:00:00.000Z' WHERE "state" = 'sending'`);
  await endOverdue(database);
};

/** A server that knows a write by its name, and refuses another under the same. */
function remembering() {
  const known = new Map<string, string>();
  const row: Record<string, unknown> = {};
  return {
    row,
    take: (sent: Sent[]): Response => Response.json({
      results: sent.map(({ write_id, writes }) => {
        const before = known.get(write_id);
        known.set(write_id, JSON.stringify(writes));
        if (before !== undefined && before !== JSON.stringify(writes)) {
          return { write_id, status: "rejected", error: { code: "key_conflict", message: "another write has this name" } };
        }
        if (before === undefined) for (const { values } of writes) Object.assign(row, values);
        return { write_id, status: "accepted", seq: (server.seq += 1), txid: server.seq, rows: [] };
      }),
    }),
  };
}

each("a write that was accepted unheard is not refused because an older one was offered again, and wins over it", async (database) => {
  await ann(database);
  const { row, take } = remembering();
  await edit(database, { first_name: "older", email: "mine" });
  await drive(database, refusing("forbidden"), isSent(database));
  await edit(database, { first_name: "newer" });
  let isHeard = false;
  await drive(database, (sent) => {
    take(sent);
    isHeard = true;
    return "lost";
  }, async () => isHeard);
  await retryAll(database);
  await drive(database, take, isSent(database));
  assert.deepEqual([await refused(database), row], [[], { first_name: "newer", email: "mine" }]);
});

each("what a later write sets is no part of an older one that is offered again, and that stands on what it has seen", async (database) => {
  await ann(database);
  await edit(database, { first_name: "older", email: "mine" });
  await drive(database, refusing("forbidden"), isSent(database));
  await database.query(`UPDATE "contacts_synced" SET "first_name" = 'Theirs'`);
  await edit(database, { first_name: "newest" });
  await retryAll(database);
  assert.deepEqual(await unsent(database), [[{ email: "mine" }, { email: "x" }], [{ first_name: "newest" }, { first_name: "Theirs" }]]);
  assert.equal((await readRow(database, database.dialect, contactsMeta, "a"))?.["first_name"], "newest");
});

each("a refused write of which a later one has set everything is not sent again", async (database) => {
  await ann(database);
  await edit(database, { first_name: "older" });
  await drive(database, refusing("forbidden"), isSent(database));
  await edit(database, { first_name: "newest" });
  await retryAll(database);
  assert.deepEqual([await unsent(database), await refused(database)], [[[{ first_name: "newest" }, { first_name: "Ann" }]], []]);
});

each("a delete that was refused is not offered again over what was written to its row since", async (database) => {
  await ann(database);
  await deleteRow(database, contactsMeta, "a");
  await drive(database, refusing("forbidden"), isSent(database));
  await edit(database, { first_name: "newest" });
  await retryAll(database);
  assert.deepEqual([await refused(database), (await readRow(database, database.dialect, contactsMeta, "a"))?.["first_name"]], [["superseded"], "newest"]);
  // Nor does an edit come back in front of a delete.
  await drive(database, refusing("forbidden"), isSent(database));
  await deleteRow(database, contactsMeta, "a");
  await retryAll(database);
  assert.deepEqual(await refused(database), ["superseded", "superseded"]);
});

each("a write without an answer is offered again as it was, and only who has seen what it has stands on it", async (database) => {
  await savings(database);
  await rename(database, "B");
  await endUnanswered(database);
  await rename(database, "C");
  await retryAll(database);
  assert.deepEqual(await unsent(database), [[{ name: "B" }, { name: "A" }], [{ name: "C" }, { name: "B" }]]);
});

each("who has seen another's value stands on that, whatever comes back before it", async (database) => {
  await savings(database);
  await rename(database, "B");
  await endUnanswered(database);
  await database.query(`UPDATE "accounts_synced" SET "name" = 'Theirs'`);
  await rename(database, "C");
  await retryAll(database);
  assert.deepEqual(await unsent(database), [[{ name: "B" }, { name: "A" }], [{ name: "C" }, { name: "Theirs" }]]);
});

each("a write without an answer is not sent again behind a later one that was sent", async (database) => {
  await savings(database);
  await rename(database, "B");
  await endUnanswered(database);
  await rename(database, "C");
  await tried(database);
  await retryAll(database);
  assert.deepEqual([await unsent(database), await refused(database)], [[[{ name: "C" }, { name: "A" }]], ["timed_out"]]);
});

each("what was written while the answer was out stands on what was accepted after all", async (database) => {
  await savings(database);
  await rename(database, "B");
  let isOver = false;
  await drive(database, async (sent) => {
    if (!isOver) {
      await endUnanswered(database);
      await rename(database, "C");
      isOver = true;
    }
    return accepted(sent);
  }, async () => isOver && await isSent(database)());
  const [, later] = await readChanges(database, "1 = 1");
  assert.deepEqual([later?.value, later?.base], [{ name: "C" }, { name: "B" }]);
});

each("of three writes of a row, the last stands on the one between where only the first is refused", async (database) => {
  await ann(database);
  const names = ["one", "two", "three"];
  for (const first_name of names) {
    await edit(database, { first_name });
    if (first_name !== "three") await tried(database);
  }
  const [one, two] = await readChanges(database, "1 = 1");
  const refuse = (writeId: string): Promise<unknown> =>
    database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [writeId]);
  await refuse(one!.writeId);
  // What was sent stays as it was sent.
  assert.deepEqual(await unsent(database), [[{ first_name: "two" }, { first_name: "one" }], [{ first_name: "three" }, { first_name: "two" }]]);
  await refuse(two!.writeId);
  assert.deepEqual(await unsent(database), [[{ first_name: "three" }, { first_name: "one" }]]);
});

each("what was written while two on top of each other were refused together stands on what the server has", async (database) => {
  await ann(database);
  for (const first_name of ["one", "two"]) {
    await edit(database, { first_name });
    await tried(database);
  }
  const bases: unknown[] = [];
  await drive(database, async (sent) => {
    bases.push(sent[0]?.writes[0]?.base);
    if (bases.length > 1) return accepted(sent);
    await edit(database, { first_name: "three" });
    return refusing("x")(sent);
  }, async () => bases.length > 1 && await isSent(database)());
  assert.deepEqual(bases, [{ first_name: "Ann" }, { first_name: "Ann" }]);
});

each("a refusal hands on what it stood on to who has seen what it set, and to nobody else", async (database) => {
  await ann(database);
  await edit(database, { first_name: "one", score: 1 });
  await tried(database);
  await edit(database, { first_name: "two", score: 2 }, { first_name: "Theirs" });
  const [one] = await readChanges(database, "1 = 1");
  await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [one!.writeId]);
  assert.deepEqual(await unsent(database), [[{ first_name: "two", score: 2 }, { first_name: "Theirs", score: null }]]);
});

each("a confirmed write stands on what is queued before it, and on another's value where its writer has seen that", async (database) => {
  await savings(database);
  await rename(database, "B");
  await tried(database);
  await rename(database, "C");
  assert.deepEqual((await unsent(database))[1], [{ name: "C" }, { name: "B" }]);
  await tried(database);
  // A form that was opened before the first of them, and one that has shown another's value.
  await rename(database, "D", { name: "A" });
  assert.deepEqual((await unsent(database))[2], [{ name: "D" }, { name: "C" }]);
  await tried(database);
  await rename(database, "E", { name: "Theirs" });
  assert.deepEqual((await unsent(database))[3], [{ name: "E" }, { name: "Theirs" }]);
  await tried(database);
  await deleteRow(database, accountsMeta, "a");
  assert.equal((await readChanges(database, "1 = 1")).at(-1)?.base["name"], "D");
});

each("a refused new row whose key another's row has by now stays refused, says so, and can be made once that one is gone", async (database, dialect) => {
  await contact(database, "a", { email: "mine" });
  await drive(database, refusing("forbidden"), isSent(database));
  await ann(database);
  for (let tries = 0; tries < 2; tries += 1) {
    await retryAll(database);
    assert.deepEqual([await unsent(database), await refused(database)], [[], ["exists"]]);
  }
  assert.match((await rejectedChanges(database))[0]!.error!.message, /contacts has a row with the key a by now/);
  const shown = await readRow(database, dialect, contactsMeta, "a");
  assert.deepEqual([shown?.["first_name"], shown?.["_has_local_changes"]], ["Ann", false]);
  await database.query(`DELETE FROM "contacts_synced"`);
  await retryAll(database);
  assert.deepEqual([await unsent(database), await refused(database)], [[[{ first_name: "a", email: "mine" }, {}]], []]);
});

each("a refused new row goes again behind the unsent delete that makes room for it", async (database) => {
  await ann(database);
  await deleteRow(database, contactsMeta, "a");
  await tried(database);
  await contact(database, "a");
  const [, made] = await readChanges(database, "1 = 1");
  await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [made!.writeId]);
  await retryAll(database);
  assert.deepEqual((await readChanges(database, `"state" <> 'rejected'`)).map(({ operation }) => operation), ["delete", "insert"]);
});

each("a row that was deleted and made anew in one transaction, which was refused, goes again as one", async (database, dialect) => {
  await ann(database);
  await writeTogether(database, async (inside) => {
    await deleteRow(inside, contactsMeta, "a");
    await insertRow(inside, dialect, contactsMeta, { id: "a", first_name: "Anew" });
  });
  await drive(database, refusing("forbidden"), async () => (await refused(database)).length === 2);
  await retryAll(database);
  assert.deepEqual((await readChanges(database, `"state" = 'pending'`)).map(({ operation }) => operation), ["delete", "insert"]);
});

each("a new row that had no answer goes again under its name, though the server shows it", async (database) => {
  await contact(database, "a");
  await tried(database);
  const [made] = await readChanges(database, "1 = 1");
  await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"timed_out","message":"y"}')`, [made!.writeId]);
  await ann(database);
  await retryAll(database);
  assert.deepEqual((await readChanges(database, "1 = 1")).map(({ writeId, state }) => [writeId, state]), [[made!.writeId, "pending"]]);
});

each("a value that was lost to another's does not come back over one that its writer set since", async (database) => {
  await ann(database);
  const losing = (...names: string[]) => (sent: Sent[]): Response => Response.json({
    results: sent.map(({ write_id, writes }) => ({
      write_id, status: "accepted", seq: (server.seq += 1), txid: 1, rows: [],
      lost: [Object.fromEntries(names.map((name) => [name, { base: writes[0]!.base[name], mine: writes[0]!.values[name], theirs: "theirs" }]))],
    })),
  });
  await edit(database, { first_name: "mine", email: "mine" });
  let isEdited = false;
  await drive(database, async (sent) => {
    if (isEdited) return accepted(sent);
    await edit(database, { first_name: "newest" });
    isEdited = true;
    return losing("first_name", "email")(sent);
  }, isSent(database));
  assert.deepEqual((await rejectedChanges(database)).map(({ value, error }) => [value, error?.code]), [[{ email: "mine" }, "lost"]]);
  await edit(database, { email: "newest" });
  await retryAll(database);
  assert.deepEqual([await unsent(database), await refused(database)], [[[{ email: "newest" }, { email: "mine" }]], []]);
});
