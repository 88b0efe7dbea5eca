/** Refused writes of transactions, and those that build on others: what is offered again with what, and on what it stands. */
import assert from "node:assert/strict";
import { pendingChanges, readChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { runSender, synclineTransport } from "../src/sender.js";
import { deleteRow, insertRow, lastWriteOf, settled, updateRow, writeTogether } from "../src/writes.js";
import { accepted, drive, each, isSent, server, type Sent } from "./driven.js";
import { accountsMeta, contactsMeta, transactionsMeta } from "./generated/meta.js";
import { until } from "./served.js";

const people = (database: LocalDatabase): Promise<unknown> =>
  database.query(`INSERT INTO "contacts_synced" ("id", "first_name") VALUES ('a', 'Ann'), ('b', 'Bob')`);
const both = (database: LocalDatabase): Promise<string[]> => writeTogether(database, async (inside) => {
  for (const id of ["a", "b"]) await updateRow(inside, database.dialect, contactsMeta, id, { first_name: `mine ${id}` });
});
const codes = async (database: LocalDatabase): Promise<unknown[]> => (await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]);
const waiting = async (database: LocalDatabase): Promise<unknown[]> => (await pendingChanges(database)).map(({ key, base }) => [key, base["first_name"]]);
const tried = (database: LocalDatabase): Promise<unknown> =>
  database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1 WHERE "state" = 'pending'`);

/** Refuses what stands on another value than Bob's second name, as a server does. */
const contended = (sent: Sent[]): Response => Response.json({
  results: sent.map(({ write_id, writes }) => {
    const write = writes.findIndex(({ id, base }) => id === "b" && base["first_name"] !== "Ben");
    if (write < 0) return { write_id, status: "accepted", seq: (server.seq += 1), txid: server.seq };
    const conflicts = { first_name: { base: writes[write]!.base["first_name"], mine: "mine b", theirs: "Ben" } };
    return { write_id, status: "rejected", error: { code: "conflict", message: "no", details: { write, entity: "contacts", id: "b", conflicts } } };
  }),
});

for (const at of [0, 1]) {
  each(`what was written together stands on the server's value when write ${at} of it is offered again, whichever was in conflict`, async (database) => {
    await people(database);
    const names = await both(database);
    await drive(database, contended, isSent(database));
    assert.deepEqual(await codes(database), [["a", "dependency_rejected"], ["b", "conflict"]]);
    await retryWrite(database, names[at]!);
    assert.deepEqual([await waiting(database), await codes(database)], [[["a", "Ann"], ["b", "Ben"]], []]);
    await drive(database, contended, isSent(database));
    assert.deepEqual(await codes(database), []);
  });
}

for (const taken of ["a", "b"]) {
  each(`of what was written together nothing is offered again where a later write has taken the row ${taken} of it`, async (database) => {
    await people(database);
    const names = await both(database);
    await drive(database, contended, isSent(database));
    await deleteRow(database, contactsMeta, taken);
    for (const name of names) {
      await retryWrite(database, name);
      assert.deepEqual(await codes(database), [["a", "superseded"], ["b", "superseded"]]);
      assert.deepEqual((await pendingChanges(database)).map(({ key, operation }) => [key, operation]), [[taken, "delete"]]);
    }
    const other = (await rejectedChanges(database)).find(({ key }) => key !== taken);
    assert.equal(other?.error?.message, `a later write has changed the row ${taken} of contacts, with which this was written`);
  });
}

each("a write that was given up with others is refused for the one of them that the server has refused", async (database) => {
  await people(database);
  const names = await both(database);
  await drive(database, async (sent) => {
    await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"timed_out","message":"no answer"}')`, [names[0]!]);
    return contended(sent);
  }, async () => (await codes(database)).some((told) => (told as string[])[1] === "conflict"));
  assert.deepEqual(await codes(database), [["a", "dependency_rejected"], ["b", "conflict"]]);
  await retryWrite(database, names[0]!);
  assert.deepEqual(await waiting(database), [["a", "Ann"], ["b", "Ben"]]);
});

/** A new account that nobody had an answer to, with a row that names it, and the answer that comes when it is asked for. */
async function answeredLate(database: LocalDatabase, mode: "optimistic" | "confirmed", isTried: boolean, sent: Sent[] = []): Promise<void> {
  const { dialect } = database;
  await insertRow(database, dialect, accountsMeta, { id: "acc", name: "Savings" });
  if (!isTried) await tried(database);
  await insertRow(database, dialect, { ...transactionsMeta, mode }, { id: "t", account_id: "acc", amount: "1.50" });
  await database.query(`UPDATE "_changes" SET "mode" = $1 WHERE "key" = 't'`, [mode]);
  if (isTried) await tried(database);
  await assert.rejects(settled(database, (await lastWriteOf(database, accountsMeta, "acc"))!, 10));
  assert.deepEqual(await codes(database), [["acc", "timed_out"], ["t", "dependency_rejected"]]);
  const fetch = (async (url: string, init: RequestInit) => {
    if (init.method === "GET") {
      return Response.json({ write_id: new URL(url).pathname.split("/").at(-1), status: "accepted", seq: (server.seq += 1), txid: server.seq, lost: [{}] });
    }
    const { transactions } = JSON.parse(init.body as string) as { transactions: Sent[] };
    sent.push(...transactions);
    return accepted(transactions);
  }) as typeof globalThis.fetch;
  const controller = new AbortController();
  const running = runSender(database, synclineTransport({ apiUrl: "http://server", fetch }), controller.signal, () => undefined);
  await until("all have an answer", async () => {
    const open = await readChanges(database, `"state" <> 'acknowledged'`);
    return open.every(({ error }) => error?.code === "offline");
  });
  controller.abort();
  await running;
}

for (const isTried of [false, true]) {
  each(`what builds on a write that was accepted unheard is sent after all${isTried ? ", under the name that it had" : ""}`, async (database) => {
    const sent: Sent[] = [];
    await answeredLate(database, "optimistic", isTried, sent);
    const changes = await readChanges(database, "1 = 1");
    assert.deepEqual(changes.map(({ key, state }) => [key, state]), [["acc", "acknowledged"], ["t", "acknowledged"]]);
    assert.deepEqual(sent.map(({ write_id, writes }) => [write_id, writes[0]?.id]), [[changes[1]!.writeId, "t"]]);
  });
}

each("a confirmed write that builds on one which was accepted unheard is not sent behind its user's back, and can be offered again by itself", async (database) => {
  await answeredLate(database, "confirmed", false);
  assert.deepEqual(await codes(database), [["t", "offline"]]);
  await retryWrite(database, (await rejectedChanges(database))[0]!.writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ key }) => key), ["t"]);
});

each("what names a row that was refused too brings that along, whatever it was refused for itself", async (database) => {
  const { dialect } = database;
  const order = (contact_id: string | null): Promise<void> => insertRow(database, dialect, transactionsMeta, { id: "t", account_id: "x", contact_id, amount: "1.50" });
  await order(null);
  await insertRow(database, dialect, contactsMeta, { id: "new", first_name: "New" });
  await updateRow(database, dialect, transactionsMeta, "t", { contact_id: "new" });
  const refuse = (key: string): Promise<unknown> => database.query(
    `INSERT INTO "_reject" ("write_id", "error") SELECT "write_id", '{"code":"x","message":"y"}' FROM "_changes" WHERE "key" = $1 AND "operation" = 'insert'`, [key]);
  await refuse("t");
  await refuse("new");
  await retryWrite(database, (await rejectedChanges(database))[0]!.writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ key, operation }) => [key, operation]), [["t", "insert"], ["new", "insert"], ["t", "update"]]);
});
